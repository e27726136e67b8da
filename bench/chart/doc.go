// Package chart draws a run's figures from its results folder alone.
//
//   - tradeoff: what every cell costs against what a fault loses and duplicates
//     in it; none is a lane of its own.
//   - heatmap: the combinations of a matrix of two settings or more.
//   - throughput: one row per cell of a closed-loop scenario, the median, its
//     interval, the repeats and the ratio to the baseline.
//   - losses: lost and duplicated messages by cause, with the fault's
//     prediction beside them.
//   - latency: percentile curves of the open-loop scenarios on an HDR axis,
//     pooled over the repeats.
//   - timeline: throughput and latency of a trial around its faults, of at most
//     twelve cells; of a broker fault every step until messages are acknowledged
//     and processed again.
//   - knee: of a capacity run, a latency of the SLO against the offered rate, the
//     knee with its interval; scaling: the knees with the law through them.
//
// What the run omitted takes no room in a figure, but for the striped tiles of a
// heat map: a note under it names it, with the reason.
// Each figure becomes charts/NAME.png (1600 pixels wide, up to 900 high) and .svg
// (its letters' typeface inside, its finding as title) on light paper, NAME-dark
// on dark, and NAME.csv with the points that were drawn. The typeface has the
// letters of Latin, Greek and Cyrillic; any other is painted as its code (\u65e5),
// and stands as itself in title and CSV. A figure is built in
// four steps: select (what a chart shows, in its own file), lay out (frame,
// scale, spread: where it goes, so that no text meets another), paint (pen, on
// gonum/plot's canvases) and write (write.go, typeface.go). What is painted names
// shades; what colour one is, a theme says, so that both versions are the same
// drawing (DarkColours). A headline states a ratio only where package stats
// finds it significant. The same input gives the same bytes.
package chart
