// Package identity keeps which identifiers belong to one person, as links between pseudonyms. No raw id ever gets here.
//
// A link has no direction: what holds of either end holds of both, and of everything that further links reach. Accounts are
// many people, so no event links one; only an operator can, for an account that stands for a single person.
//
// The package is pure. A Graph is read by one goroutine at a time, or by several while nobody writes.
package identity
