// Package policy compiles policy.yaml, the map of field x destination x condition x transform, into a plan and projects scanned
// events through it. The default is deny: a field that no rule names is not in the output, whatever the event or the rule for its
// neighbours says. Every decision remembers the rule that made it.
package policy
