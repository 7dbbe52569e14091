-- AlterTable
ALTER TABLE "usage_entries" ADD COLUMN     "cost_usd" DECIMAL(24,12),
ADD COLUMN     "credential_id" UUID,
ADD COLUMN     "credential_label" TEXT,
ADD COLUMN     "key_id" UUID,
ADD COLUMN     "surface" TEXT NOT NULL DEFAULT 'page';

-- CreateTable
CREATE TABLE "model_prices" (
    "id" UUID NOT NULL,
    "model" TEXT NOT NULL,
    "input_usd" DECIMAL(12,6),
    "cached_input_usd" DECIMAL(12,6),
    "output_usd" DECIMAL(12,6),
    "valid_from" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "created_by" UUID,

    CONSTRAINT "model_prices_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "model_prices_model_valid_from_id_idx" ON "model_prices"("model", "valid_from" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "usage_entries_key_id_at_idx" ON "usage_entries"("key_id", "at");

-- The demo model has always been free; what else was used before prices were known stays without one.
UPDATE "usage_entries" SET "cost_usd" = 0 WHERE "provider" = 'demo';
