-- AlterTable
ALTER TABLE "sessions" ADD COLUMN     "access_hash" BYTEA;

-- AlterTable
ALTER TABLE "conversations" ADD COLUMN     "session_name" TEXT;

-- CreateTable
CREATE TABLE "launch_tickets" (
    "id" UUID NOT NULL,
    "hash" BYTEA NOT NULL,
    "user_id" UUID NOT NULL,
    "agent_id" UUID,
    "key_id" UUID NOT NULL,
    "host" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "launch_tickets_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "launch_tickets_hash_key" ON "launch_tickets"("hash");

-- CreateIndex
CREATE INDEX "launch_tickets_expires_at_idx" ON "launch_tickets"("expires_at");

-- CreateIndex
CREATE INDEX "launch_tickets_key_id_idx" ON "launch_tickets"("key_id");

-- CreateIndex
CREATE INDEX "launch_tickets_user_id_idx" ON "launch_tickets"("user_id");

-- CreateIndex
CREATE UNIQUE INDEX "conversations_user_id_agent_id_session_name_key" ON "conversations"("user_id", "agent_id", "session_name");

-- AddForeignKey
ALTER TABLE "launch_tickets" ADD CONSTRAINT "launch_tickets_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;
