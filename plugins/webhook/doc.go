// Package webhook is the webhook input: the door for deliveries that providers sign.
//
// Guarantee: only a delivery whose signature is good goes on, byte for byte as it came. It is answered with 2xx once its raw
// record and the receipt that names it are durable. Whatever is unknown is answered with 503, so that the provider sends it
// again, and the repeat has the same event id. Every attempt whose body could be read has a receipt, refused ones too.
//
// What a delivery says of itself comes from its signed body and its own headers only; query and cookies are never looked at.
package webhook
