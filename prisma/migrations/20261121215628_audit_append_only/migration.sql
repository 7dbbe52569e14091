-- DropIndex
DROP INDEX "audit_events_at_id_idx";

-- DropIndex
DROP INDEX "audit_events_actor_id_at_idx";

-- DropIndex
DROP INDEX "audit_events_action_at_idx";

-- DropIndex
DROP INDEX "audit_events_target_at_idx";

-- AlterTable
ALTER TABLE "audit_events" ALTER COLUMN "at" SET DATA TYPE TIMESTAMPTZ(3);

-- CreateIndex
CREATE INDEX "audit_events_at_id_idx" ON "audit_events"("at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "audit_events_actor_id_at_id_idx" ON "audit_events"("actor_id", "at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "audit_events_action_at_id_idx" ON "audit_events"("action", "at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "audit_events_target_at_id_idx" ON "audit_events"("target", "at" DESC, "id" DESC);


-- What is written down stays. Whoever owns the table can still drop the trigger, or the table; the product never does.
CREATE FUNCTION "refuse_audit_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;

-- Per statement, so that also one that meets no row is refused.
CREATE TRIGGER "audit_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "audit_events"
FOR EACH STATEMENT EXECUTE FUNCTION "refuse_audit_change"();

-- Also where triggers are off, as in a session that replays what another server wrote.
ALTER TABLE "audit_events" ENABLE ALWAYS TRIGGER "audit_append_only";
