// Package postgres makes a PostgreSQL database into the staging area that internal/staging describes, and tells of each
// error of the server whether trying again can help.
package postgres
