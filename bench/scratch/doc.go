// Package scratch makes folders that live no longer than this program: for a
// trial's ledger, for a broker's log. A folder's maker holds a lock on the
// owner file in it. Should the maker be killed the lock is free, and the next
// run, on finding the folder so, ends what still runs in it and removes it.
package scratch
