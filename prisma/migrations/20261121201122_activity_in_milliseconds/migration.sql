-- AlterTable
ALTER TABLE "conversations" ALTER COLUMN "last_activity_at" SET DATA TYPE TIMESTAMPTZ(3);
