// Package fault says which faults a trial has, when each is armed, and what
// each will cost: its blast radius, predicted from the profile alone and never
// from the record of the worker that was struck.
package fault
