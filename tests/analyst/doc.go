// Package analyst holds the tests of what analysts read: numbers of views and rollups against what the generator says it made.
package analyst
