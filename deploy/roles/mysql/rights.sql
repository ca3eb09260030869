-- What each service may do with each table, on MySQL and MariaDB. By platform_migrate (or an administrator), in the platform's database,
-- after each "migrate"; any number of times, also while services run:
--
--   mysql platform <deploy/roles/mysql/rights.sql
--
-- Nobody creates, changes or drops a table, and of a column without UPDATE what was written stays. It only adds rights. With a prefix
-- before the names of tables, and for tables of your own, write the same with those names.

-- Tasks: submitted by all (a handler may submit, too), cancelled, retried and deleted by API and dashboard, run and deleted by workers.
GRANT SELECT, INSERT, DELETE,
      UPDATE (status, cancel_requested, failures, crashes, due_at, queued_at, finished_at, error)
    ON heavy_tasks TO platform_api@'%', platform_dashboard@'%';
GRANT SELECT, INSERT, DELETE,
      UPDATE (status, owner, attempt, failures, crashes, due_at, queued_at, started_at, finished_at, progress_done, progress_total,
              progress_text, checkpoint, result, result_file_id, error)
    ON heavy_tasks TO platform_worker@'%';
GRANT SELECT, DELETE ON heavy_task_attempts TO platform_api@'%', platform_dashboard@'%';
GRANT SELECT, INSERT, DELETE, UPDATE (outcome, ended_at, error) ON heavy_task_attempts TO platform_worker@'%';
GRANT SELECT, INSERT, DELETE ON heavy_task_tags TO platform_api@'%', platform_dashboard@'%', platform_worker@'%';
GRANT SELECT, DELETE ON heavy_task_log_lines TO platform_api@'%', platform_dashboard@'%';
GRANT SELECT, INSERT, DELETE ON heavy_task_log_lines TO platform_worker@'%';

-- Files: an upload that breaks off is deleted by whoever took it.
GRANT SELECT, INSERT, DELETE ON heavy_task_files TO platform_api@'%', platform_dashboard@'%', platform_worker@'%';
GRANT SELECT, INSERT, DELETE, UPDATE (task_id, length, sha256, closed_at, expires_at)
    ON stored_files TO platform_api@'%', platform_dashboard@'%', platform_worker@'%';
-- MariaDB asks for UPDATE of every column that an INSERT ... ON DUPLICATE KEY UPDATE names, here and below.
GRANT SELECT, INSERT, DELETE, UPDATE
    ON stored_file_chunks TO platform_api@'%', platform_dashboard@'%', platform_worker@'%';

-- Messages, which each service sends itself.
GRANT SELECT, INSERT, DELETE, UPDATE (lease_owner, due_at, failures, error)
    ON outbox_messages TO platform_api@'%', platform_dashboard@'%', platform_worker@'%';
GRANT SELECT, DELETE ON poison_messages TO platform_dashboard@'%';
GRANT SELECT, INSERT, DELETE ON poison_messages TO platform_worker@'%';

-- Processes: each keeps a row of its own.
GRANT SELECT, INSERT, DELETE,
      UPDATE (seen_at, lease_until, holds_lock, pool_max, pool_in_use, pool_idle, pool_waiting, connection_holders, slots, in_flight,
              kind_slots)
    ON instances TO platform_api@'%', platform_dashboard@'%', platform_worker@'%';
GRANT UPDATE (drained_at) ON instances TO platform_api@'%', platform_dashboard@'%';

-- Kinds: announced by workers, paused and given slots by people.
GRANT SELECT, UPDATE (paused_at, slots) ON heavy_task_kinds TO platform_api@'%', platform_dashboard@'%';
GRANT SELECT, INSERT, DELETE, UPDATE (name, description, parameters_schema, service, announced_at)
    ON heavy_task_kinds TO platform_worker@'%';
GRANT SELECT ON heavy_task_minutes TO platform_dashboard@'%';
GRANT SELECT, INSERT, DELETE, UPDATE (succeeded, failed, cancelled, waits, runs) ON heavy_task_minutes TO platform_worker@'%';

-- Keys: API and dashboard recognise them, the API alone makes and revokes them, and no worker sees any.
GRANT SELECT, INSERT, UPDATE (revoked_at, last_used_at) ON api_keys TO platform_api@'%';
GRANT SELECT, UPDATE (last_used_at) ON api_keys TO platform_dashboard@'%';

-- The record of who did what: nobody changes an entry, and only workers delete one, when its time is over.
GRANT SELECT, INSERT ON audit_entries TO platform_api@'%', platform_dashboard@'%';
GRANT SELECT (id, created_at), DELETE ON audit_entries TO platform_worker@'%';

-- The application's own.
GRANT SELECT ON users TO platform_api@'%';
GRANT SELECT, INSERT, UPDATE (tenant_id, external_id, name, email, country, signed_up_at) ON users TO platform_worker@'%';

-- Services refuse to start on a database that lacks a migration.
GRANT SELECT ON __EFMigrationsHistory TO platform_api@'%', platform_dashboard@'%', platform_worker@'%';
