-- AlterTable
ALTER TABLE "gateway_responses" ADD COLUMN     "bill" JSON,
ADD COLUMN     "is_stream" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "keys_of" UUID;

-- What stood in "input" beside the items gets columns of its own. Row by row: where somebody has sent what is JSON but no
-- text (U+0000, half a character), nothing of it can be read here, and that row alone loses its list of items.
DO $$
DECLARE
    kept RECORD;
BEGIN
    FOR kept IN SELECT "id" FROM "gateway_responses" WHERE "input" IS NOT NULL LOOP
        BEGIN
            UPDATE "gateway_responses"
            SET "keys_of" = ("input"->>'keysOf')::uuid, "bill" = "input"->'bill', "input" = "input"->'items'
            WHERE "id" = kept."id";
        EXCEPTION WHEN data_exception THEN
            UPDATE "gateway_responses" SET "input" = NULL WHERE "id" = kept."id";
        END;
    END LOOP;
END $$;
