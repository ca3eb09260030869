-- The users of the services on MySQL and MariaDB. By an administrator, once, in the platform's database, before the first "migrate":
--
--   mysql platform <deploy/roles/mysql/users.sql
--
-- Then give each a password of its own, in the client and not as an argument: whoever may list processes would see it. Until then nobody
-- can use them.
--
--   ALTER USER platform_api@'%' IDENTIFIED BY '...' ACCOUNT UNLOCK;
--
-- After each "migrate" follows rights.sql. docs/deploying.md says more.

CREATE USER IF NOT EXISTS
    platform_migrate@'%', platform_api@'%', platform_worker@'%', platform_dashboard@'%'
    ACCOUNT LOCK;

-- Owns the tables, and so may also say who else may use them. No service connects as this user.
GRANT ALL PRIVILEGES ON * TO platform_migrate@'%' WITH GRANT OPTION;

-- Not granted here, because it concerns the whole server: with it a worker ends the session of a worker that is frozen and has its tasks
-- locked, and without it waits until the server ends that session (docs/operations.md).
--
--   GRANT PROCESS ON *.* TO platform_worker@'%';                                       MariaDB
--   GRANT SELECT ON performance_schema.data_lock_waits TO platform_worker@'%';         MySQL
--   GRANT SELECT ON performance_schema.threads TO platform_worker@'%';                 MySQL
