// Package bloblang adds Ebbgate's methods and functions to the mapping language, under the prefix ebb_.
//
// The methods are the transforms of a policy, for mappings that prepare data before the gate. They fail as policies do: a
// value that a method does not understand is an error and never passes through, and no error quotes a value. A mapping is
// not the place to enforce consent; the policy is.
package bloblang
