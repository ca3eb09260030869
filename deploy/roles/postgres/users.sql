-- The roles of the services on PostgreSQL. By a superuser, once, in the database of the platform, before the first "migrate":
--
--   psql -v ON_ERROR_STOP=1 -d platform -f deploy/roles/postgres/users.sql
--
-- Then give each a password of its own, in psql and not as an argument: whoever may list processes would see it. Until then nobody can log
-- in as one of them.
--
--   ALTER ROLE platform_api LOGIN PASSWORD '...';       or \password platform_api, and ALTER ROLE platform_api LOGIN;
--
-- After each "migrate" follows rights.sql. docs/deploying.md says more.

DO $$
DECLARE
    service text;
BEGIN
    FOREACH service IN ARRAY ARRAY['platform_migrate', 'platform_api', 'platform_worker', 'platform_dashboard'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = service) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', service);
        END IF;
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), service);
    END LOOP;

    -- Owns the tables, and so may also say who else may use them. No service connects as this role.
    EXECUTE format('ALTER DATABASE %I OWNER TO platform_migrate', current_database());
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());

    -- Imports copy into a temporary table first.
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO platform_worker', current_database());
END $$;

ALTER SCHEMA public OWNER TO platform_migrate;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO platform_api, platform_worker, platform_dashboard;
