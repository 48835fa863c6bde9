#!/bin/bash
# Run once by the postgres image on an empty data directory: a database and three roles per service. Elsewhere by hand, with psql's own
# variables (PGHOST, PGUSER, PGPASSWORD, PGDATABASE), the passwords, and ROLES_SQL=deploy/postgres/roles.sql.
set -euo pipefail
for service in gateway orchestration agent content connector; do
    owner=${service^^}_OWNER_PASSWORD app=${service^^}_APP_PASSWORD system=${service^^}_SYSTEM_PASSWORD
    SERVICE=$service OWNER_PASSWORD=${!owner} APP_PASSWORD=${!app} SYSTEM_PASSWORD=${!system} \
        psql -X -q --username "${PGUSER:-postgres}" --dbname "${PGDATABASE:-postgres}" --file "${ROLES_SQL:-/roles/roles.sql}"
done
