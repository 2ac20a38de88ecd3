// Package contract holds what teams promised about their events: the typed properties, who owns them, how sensitive they are
// and which class of data they belong to. It loads the contracts of a workspace strictly and checks events against them on the
// scanned tape, without allocating.
package contract
