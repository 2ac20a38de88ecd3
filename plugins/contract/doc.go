// Package contract is the contract processor: the gate into events.validated.
//
// Guarantee: what passes is a valid envelope whose properties are exactly those its contract declares, of the declared
// types. Undeclared properties are removed and counted, or the event is quarantined, as the contract says. An event that
// breaks its contract or has none becomes an encrypted quarantine record with a code; its neighbours go on.
package contract
