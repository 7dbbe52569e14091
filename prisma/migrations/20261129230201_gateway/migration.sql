-- AlterTable
ALTER TABLE "api_keys" ADD COLUMN     "allowed_models" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "budget_period" TEXT NOT NULL DEFAULT 'total',
ADD COLUMN     "cache_seconds" INTEGER,
ADD COLUMN     "fallback_credentials" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "fallback_models" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "requests_per_minute" INTEGER,
ADD COLUMN     "tokens_per_minute" INTEGER;

-- AlterTable
ALTER TABLE "usage_entries" ADD COLUMN     "cache" TEXT,
ADD COLUMN     "endpoint" TEXT,
ADD COLUMN     "request_id" TEXT,
ADD COLUMN     "retries" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "status" INTEGER;

-- CreateTable
CREATE TABLE "key_meters" (
    "key_id" UUID NOT NULL,
    "minute" TIMESTAMPTZ(0) NOT NULL,
    "requests" INTEGER NOT NULL DEFAULT 0,
    "tokens" BIGINT NOT NULL DEFAULT 0,
    "period" DATE NOT NULL,
    "spent_usd" DECIMAL(24,12) NOT NULL DEFAULT 0,
    "reserved_usd" DECIMAL(24,12) NOT NULL DEFAULT 0,

    CONSTRAINT "key_meters_pkey" PRIMARY KEY ("key_id")
);

-- CreateTable
CREATE TABLE "key_reservations" (
    "id" UUID NOT NULL,
    "key_id" UUID NOT NULL,
    "period" DATE NOT NULL,
    "usd" DECIMAL(24,12) NOT NULL,
    "minute" TIMESTAMPTZ(0) NOT NULL,
    "tokens" INTEGER NOT NULL,
    "provider" TEXT NOT NULL,
    "model" TEXT NOT NULL,
    "input_tokens" INTEGER NOT NULL,
    "surface" TEXT NOT NULL DEFAULT 'gateway',
    "node_id" TEXT NOT NULL,
    "opened_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "lease_expires_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "key_reservations_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "gateway_responses" (
    "id" TEXT NOT NULL,
    "user_id" UUID NOT NULL,
    "project_id" UUID,
    "provider" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "credential_id" UUID,
    "base_url" TEXT NOT NULL,
    "model" TEXT NOT NULL,
    "background" BOOLEAN NOT NULL DEFAULT false,
    "status" TEXT NOT NULL DEFAULT 'upstream',
    "body" JSON,
    "input" JSON,
    "previous_id" TEXT,
    "cancelled" BOOLEAN NOT NULL DEFAULT false,
    "node_id" TEXT,
    "lease_expires_at" TIMESTAMPTZ(6),
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "gateway_responses_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "gateway_response_events" (
    "response_id" TEXT NOT NULL,
    "seq" INTEGER NOT NULL,
    "type" TEXT NOT NULL,
    "data" TEXT NOT NULL,

    CONSTRAINT "gateway_response_events_pkey" PRIMARY KEY ("response_id","seq")
);

-- CreateTable
CREATE TABLE "gateway_files" (
    "id" TEXT NOT NULL,
    "user_id" UUID NOT NULL,
    "project_id" UUID,
    "provider" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "credential_id" UUID,
    "base_url" TEXT NOT NULL,
    "purpose" TEXT NOT NULL,
    "object" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "gateway_files_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "gateway_replays" (
    "id" BYTEA NOT NULL,
    "user_id" UUID NOT NULL,
    "request_hash" BYTEA NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'running',
    "status" INTEGER,
    "headers" JSONB,
    "body" BYTEA,
    "node_id" TEXT NOT NULL,
    "lease_expires_at" TIMESTAMPTZ(6),
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "gateway_replays_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "key_reservations_key_id_idx" ON "key_reservations"("key_id");

-- CreateIndex
CREATE INDEX "key_reservations_lease_expires_at_idx" ON "key_reservations"("lease_expires_at");

-- CreateIndex
CREATE INDEX "gateway_responses_user_id_created_at_idx" ON "gateway_responses"("user_id", "created_at");

-- CreateIndex
CREATE INDEX "gateway_responses_created_at_idx" ON "gateway_responses"("created_at");

-- CreateIndex
CREATE INDEX "gateway_responses_lease_expires_at_idx" ON "gateway_responses"("lease_expires_at");

-- CreateIndex
CREATE INDEX "gateway_files_user_id_created_at_id_idx" ON "gateway_files"("user_id", "created_at" DESC, "id" DESC);

-- CreateIndex
CREATE INDEX "gateway_replays_created_at_idx" ON "gateway_replays"("created_at");

-- CreateIndex
CREATE INDEX "usage_entries_key_id_id_idx" ON "usage_entries"("key_id", "id" DESC);

-- AddForeignKey
ALTER TABLE "key_meters" ADD CONSTRAINT "key_meters_key_id_fkey" FOREIGN KEY ("key_id") REFERENCES "api_keys"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "key_reservations" ADD CONSTRAINT "key_reservations_key_id_fkey" FOREIGN KEY ("key_id") REFERENCES "api_keys"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "gateway_responses" ADD CONSTRAINT "gateway_responses_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "gateway_response_events" ADD CONSTRAINT "gateway_response_events_response_id_fkey" FOREIGN KEY ("response_id") REFERENCES "gateway_responses"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "gateway_files" ADD CONSTRAINT "gateway_files_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "gateway_replays" ADD CONSTRAINT "gateway_replays_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;
