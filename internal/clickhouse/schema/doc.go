// Package schema keeps a ClickHouse database in the shape a workspace describes: the tables of clickhouse/NNN_*.sql, the
// views of clickhouse/views, the refreshable views of clickhouse/rollups, the roles of clickhouse/roles, which may read
// views alone, one typed view per event generated from its contract and the destination's policy, and the
// retention of every class as TTL.
//
// MakePlan compares and changes nothing; Apply runs what the plan shows. What has been applied is recorded in the table
// ebbgate_migrations, so applying twice changes nothing the second time, and objects the workspace no longer describes
// are dropped only when asked for. Tables are never dropped.
package schema
