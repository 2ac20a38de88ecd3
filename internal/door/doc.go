// Package door is what the inputs that stand on a network share: a server with limits and manners, and the hand-over of
// what a request brought to the engine, which answers once it is durable.
//
// Nothing here trusts a sender. Sizes are bounded before anything is read, compressed bodies by what comes out of them;
// addresses come from the connection, or from proxies the configuration names; answers are fixed texts.
package door
