-- One service's database and its three roles. Run by psql as the server's administrator, once per service, any number of times:
--
--   SERVICE=content OWNER_PASSWORD=… APP_PASSWORD=… SYSTEM_PASSWORD=… psql -f deploy/postgres/roles.sql
--
-- owner   owns the database and is used by `<service> migrate` only
-- app     what a running server works as, under row-level security
-- system  reads the few tables that lead to a tenant before one is known
\set ON_ERROR_STOP on
\getenv service SERVICE
\getenv owner_password OWNER_PASSWORD
\getenv app_password APP_PASSWORD
\getenv system_password SYSTEM_PASSWORD

SELECT format('CREATE ROLE %I', :'service' || '_' || suffix)
FROM unnest(ARRAY['owner', 'app', 'system']) AS suffix
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'service' || '_' || suffix) \gexec

SELECT format(
    'ALTER ROLE %I LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD %L',
    :'service' || '_' || suffix, password)
FROM (VALUES ('owner', :'owner_password'), ('app', :'app_password'), ('system', :'system_password')) AS role (suffix, password) \gexec

SELECT format('CREATE DATABASE %I OWNER %I', :'service', :'service' || '_owner')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'service') \gexec

SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', :'service') \gexec
SELECT format('GRANT CONNECT ON DATABASE %I TO %I, %I', :'service', :'service' || '_app', :'service' || '_system') \gexec
