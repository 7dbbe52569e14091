-- AlterTable
ALTER TABLE "replies" ADD COLUMN     "stop_requested" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "upstream" JSONB;

-- AlterTable
ALTER TABLE "reply_frames" ADD COLUMN     "cursor" INTEGER;

-- Commits frames of many replies in one call; those of a reply that its writer has lost are left out, and their ids
-- returned. The lock is held to the end of the transaction: whoever takes replies over raises their epochs, then takes
-- this lock exclusively, and knows that no writer of an older epoch is still at work. A function, so that the lock is
-- held before the epochs are read, in one round trip.
CREATE FUNCTION "append_reply_frames"(ids uuid[], epochs int[], seqs int[], types text[], bodies text[], cursors int[])
RETURNS TABLE (lost uuid) LANGUAGE plpgsql AS $$
DECLARE
  inserted int;
BEGIN
  PERFORM pg_advisory_xact_lock_shared(4711004);
  INSERT INTO reply_frames (reply_id, seq, type, body, cursor)
  SELECT f.reply_id, f.seq, f.type, f.body, f.cursor
  FROM unnest(ids, epochs, seqs, types, bodies, cursors) AS f(reply_id, epoch, seq, type, body, cursor)
  JOIN replies r ON r.id = f.reply_id AND r.epoch = f.epoch AND r.status = 'running'
  ON CONFLICT (reply_id, seq) DO NOTHING;
  GET DIAGNOSTICS inserted = ROW_COUNT;
  IF inserted < cardinality(ids) THEN
    RETURN QUERY
      SELECT DISTINCT f.reply_id FROM unnest(ids, epochs) AS f(reply_id, epoch)
      WHERE NOT EXISTS (
        SELECT 1 FROM replies r WHERE r.id = f.reply_id AND r.epoch = f.epoch AND r.status = 'running'
      );
  END IF;
END $$;
