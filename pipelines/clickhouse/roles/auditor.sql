-- Auditors read the decisions and nothing of the events: `ebbgate clickhouse apply` adds one GRANT per view of views/auditor/. Users and
-- passwords are not made here: GRANT auditor TO grace, after CREATE USER grace.
CREATE ROLE IF NOT EXISTS auditor;
CREATE SETTINGS PROFILE OR REPLACE auditor SETTINGS
    readonly = 2 CONST,
    max_execution_time = 300 MAX 300,
    max_memory_usage = 8000000000 MAX 8000000000
    TO auditor;
CREATE QUOTA OR REPLACE auditor KEYED BY user_name
    FOR INTERVAL 1 hour MAX queries = 2000, execution_time = 3600, read_rows = 20000000000
    TO auditor;
