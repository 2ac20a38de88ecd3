-- Analysts read the views of the database and nothing else. `ebbgate clickhouse apply` adds one GRANT per view. Users and
-- passwords are not made here: GRANT analyst TO ada, after CREATE USER ada.
CREATE ROLE IF NOT EXISTS analyst;
CREATE SETTINGS PROFILE OR REPLACE analyst SETTINGS
    readonly = 2 CONST,
    max_execution_time = 120 MAX 120,
    max_memory_usage = 8000000000 MAX 8000000000
    TO analyst;
CREATE QUOTA OR REPLACE analyst KEYED BY user_name
    FOR INTERVAL 1 hour MAX queries = 2000, execution_time = 3600, read_rows = 20000000000
    TO analyst;
