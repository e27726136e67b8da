// Package catalogue holds the claims of the articles: which profile shows each
// of them, and what a suite of runs made of it.
//
// A suite file (Suite) lists rows: what is claimed, the profile, which of its
// cells and scenarios are the side that breaks and which the side that holds,
// and what it shows when everything that the profile says comes out. Parse
// reads it as strictly as a profile, and Open checks each row against its
// profile: a side that nothing is claimed of, or a breaking side whose claims
// hold also when nothing breaks, is refused. So a check that cannot fail is noticed.
//
// A suite run keeps a Record, claims.json, beside the folders of its runs. Judge
// makes a row of it from a saved run alone, and stands for all that the row names:
// what was omitted of it omits the row, and a breaking side that was predicted to
// hold does not pass.
package catalogue
