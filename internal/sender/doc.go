// Package sender signs deliveries as providers do and posts them to a webhook door: for those who set one up, and for the demo.
// Its samples are shaped as the providers send them, with nobody's data.
package sender
