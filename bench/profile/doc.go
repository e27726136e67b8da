// Package profile turns a YAML file into a validated Profile, and a Profile
// into a Plan: the trials to run, in their seeded random order.
package profile
