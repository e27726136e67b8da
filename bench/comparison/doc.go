// Package comparison sets two saved runs side by side, cell by cell: the numbers
// of both, how they relate, and whether that is more than the noise between
// repeats. A gate turns it into a pass or a failure for a script.
package comparison
