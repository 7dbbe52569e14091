-- DropForeignKey
ALTER TABLE "reply_frames" DROP CONSTRAINT "reply_frames_reply_id_fkey";
