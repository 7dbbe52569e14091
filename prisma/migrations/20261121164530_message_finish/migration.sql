-- AlterTable
ALTER TABLE "messages" ADD COLUMN     "finish" TEXT;
