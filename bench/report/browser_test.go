package report

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"math"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"deliverybench/bench/chart"
	"deliverybench/bench/result"
	"deliverybench/bench/stats"
)

// Bounds of what waits for a browser: a busy machine is slow.
const (
	browserTime = 15 * time.Minute
	tabTime     = 3 * time.Minute
)

// step is something done in a tab.
type step = chromedp.Action[chromedp.Void]

// asked is a step that the browser's own protocol has.
func asked[P, R any](c cdp.Command[P, R], parameters P) step {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, parameters)
		return err
	})
}

// chromium is the browser's program. Without one these tests fail: a page that
// nobody opened is not tested.
func chromium(t *testing.T) string {
	t.Helper()
	if named := os.Getenv("CHROMIUM"); named != "" {
		return named
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	require.Fail(t, "no Chromium: install one (on Debian: apt-get install chromium) or name it in CHROMIUM")
	return ""
}

// browser starts Chromium, which ends with the test.
func browser(t *testing.T) context.Context {
	t.Helper()
	profile := t.TempDir()
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(chromium(t)), chromedp.UserDataDir(profile), chromedp.WindowSize(1280, 900))
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium's sandbox refuses root
	}
	bounded, stop := context.WithTimeout(context.Background(), browserTime)
	allocator, free := chromedp.NewExecAllocator(bounded, options...)
	ctx, _ := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx)
		free()
		stop()
		// Its helpers may write their last while it ends.
		require.Eventually(t, func() bool { return os.RemoveAll(profile) == nil }, tabTime, 20*time.Millisecond)
	})
	require.NoError(t, chromedp.Do(ctx))
	return ctx
}

// tab is a page in the browser, and what happened in it.
type tab struct {
	*testing.T
	ctx  context.Context
	file string

	mutex    sync.Mutex
	requests []string
	troubles []string
}

// open shows a run's page in a tab of its own.
func open(t *testing.T, browser context.Context, run *result.Run, folder fs.FS, before ...step) *tab {
	t.Helper()
	var text bytes.Buffer
	require.NoError(t, HTML(&text, run, folder))
	file := filepath.Join(t.TempDir(), "report.html")
	require.NoError(t, os.WriteFile(file, text.Bytes(), 0o600))

	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	ctx, stop := context.WithTimeout(ctx, tabTime)
	t.Cleanup(stop)
	b := &tab{T: t, ctx: ctx, file: (&url.URL{Scheme: "file", Path: file}).String()}
	require.NoError(t, chromedp.Listen(ctx, b.note))
	b.do(asked(log.Enable, cdp.Empty{}), asked(network.Enable, network.EnableParams{}))
	b.do(before...)
	b.do(chromedp.Navigate(b.file), chromedp.WaitReady(chromedp.CSS("body")))
	return b
}

// note keeps what a page of ours must not do.
func (b *tab) note(event any) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	trouble := func(format string, words ...any) { b.troubles = append(b.troubles, fmt.Sprintf(format, words...)) }
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, "data:") { // in the page itself
			b.requests = append(b.requests, e.Request.URL)
		}
	case *log.EventEntryAdded:
		trouble("%s: %s", e.Entry.Source, e.Entry.Text)
	case *runtime.EventExceptionThrown:
		trouble("exception: %s", e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		trouble("console: %s", e.Type)
	case *cdppage.EventJavascriptDialogOpening:
		trouble("dialog: %s", e.Message)
	}
}

// clean fails when the page asked for anything but itself, or complained.
func (b *tab) clean() {
	b.Helper()
	b.mutex.Lock()
	defer b.mutex.Unlock()
	require.Equal(b, []string{b.file}, slices.Compact(b.requests))
	require.Empty(b, b.troubles)
}

func (b *tab) do(steps ...step) {
	b.Helper()
	require.NoError(b, chromedp.Do(b.ctx, steps...), "%v", b.troubles)
}

// click clicks on what a selector finds first.
func (b *tab) click(selector string, words ...any) {
	b.Helper()
	b.do(chromedp.Click(chromedp.CSS(fmt.Sprintf(selector, words...))))
}

// ask evaluates an expression in the page.
func ask[V any](b *tab, expression string) V {
	b.Helper()
	answer, err := chromedp.Run(b.ctx, chromedp.Evaluate[V](expression, chromedp.EvalAwaitPromise))
	require.NoError(b, err, "%v", b.troubles)
	return answer
}

// texts of a column in the order of the rows that are shown.
func (b *tab) texts(table string, column int) []string {
	b.Helper()
	return ask[[]string](b, fmt.Sprintf(`[...document.getElementById(%q).tBodies[0].rows].filter((r) => r.checkVisibility()).map((r) => r.cells[%d].textContent)`, table, column))
}

// heads are the texts of a table's columns.
func (b *tab) heads(table string) []string {
	b.Helper()
	return ask[[]string](b, fmt.Sprintf(`[...[...document.getElementById(%q).tHead.rows].at(-1).cells].map((c) => c.textContent)`, table))
}

// until waits for an expression to become true.
func (b *tab) until(expression string) {
	b.Helper()
	_, err := chromedp.Run(b.ctx, chromedp.Poll[bool](expression))
	require.NoError(b, err, "%v", b.troubles)
}

func unfold(b *tab) {
	b.Helper()
	ask[int](b, `[...document.querySelectorAll("details")].filter((d) => d.open = true).length`)
}

func noScripts() step {
	return asked(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
}

func narrow() step { return chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile) }

func theme(name string) step {
	return asked(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}})
}

// drawn is a folder of real charts, and a picture that somebody put there.
func drawn(t *testing.T, run *result.Run) fs.FS {
	t.Helper()
	folder := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(folder, "charts"), 0o700))
	_, err := chart.Draw(folder, run)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "charts", "mine.svg"), charts()["charts/mine.svg"].Data, 0o600))
	return os.DirFS(folder)
}

func TestPageInABrowser(t *testing.T) {
	b, pictures := browser(t), drawn(t, semantics())
	for name, test := range map[string]func(*testing.T, context.Context, fs.FS){
		"nothing is asked for and nothing complains": silence, "sorting": sorting, "sorting by settings": sortingBySettings,
		"sorting with the keyboard": keyboard, "filtering": filtering, "numbers lead to their trials": leads,
		"without scripts": withoutScripts, "a phone's width": narrowPage, "hostile text": hostilePage, "hostile text in a capacity run": hostileCapacityPage, "the policy": policed,
		"the first screen": firstScreen, "paper": paper, "accessibility": accessibility, "copying": copying, "drawings": drawings,
	} {
		t.Run(name, func(t *testing.T) { test(t, b, pictures) })
	}
}

func silence(t *testing.T, browser context.Context, pictures fs.FS) {
	for name, run := range fixtures() {
		t.Run(name, func(t *testing.T) {
			b := open(t, browser, run, pictures)
			unfold(b)
			b.clean()
		})
	}
}

// raced is a run of arms of these speeds; NaN did not run.
func raced(perSecond ...float64) *result.Run {
	b := newBuild("raced", "saturated")
	for i, speed := range perSecond {
		c := b.cell(fmt.Sprintf("arm-%d", i), "at-least-once")
		tr := b.trial(c, "saturated")
		if saturate(tr, speed); math.IsNaN(speed) {
			tr.Status, tr.Verdict, tr.Promise, tr.Throughput = result.Failed, nil, "", result.Throughput{}
		}
	}
	return &b.run
}

func sorting(t *testing.T, browser context.Context, _ fs.FS) {
	// All that ran are written 1.20M: the saved numbers decide. Arms 1 and 4 are
	// alike and stay in the profile's order; arm 2 has no speed and is last.
	run := raced(1_200_400, 1_200_100, math.NaN(), 1_199_900, 1_200_100, 1_204_000)
	b := open(t, browser, run, nil)
	column := slices.Index(b.heads("results"), "msg/s")
	require.Equal(t, []string{"1.20M", "1.20M", stats.None, "1.20M", "1.20M", "1.20M"}, b.texts("results", column))
	head := fmt.Sprintf(`#results th[data-sort]:nth-child(%d)`, column+1)
	for _, step := range []struct {
		direction string
		want      []int
	}{
		{"ascending", []int{3, 1, 4, 0, 5, 2}},
		{"descending", []int{5, 0, 1, 4, 3, 2}},
		{"none", []int{0, 1, 2, 3, 4, 5}},
	} {
		b.click("%s button", head)
		require.Equal(t, step.direction, ask[string](b, fmt.Sprintf(`document.querySelector(%q).getAttribute("aria-sort")`, head)))
		var want []string
		for _, arm := range step.want {
			want = append(want, fmt.Sprintf("arm-%d", arm))
		}
		require.Equal(t, want, b.texts("results", 0), step.direction)
	}
	b.clean()
}

// The columns of settings are in the profile's order, not in that of the alphabet;
// each column of numbers is in the order of what was saved.
func sortingBySettings(t *testing.T, browser context.Context, _ fs.FS) {
	run := matrix()
	b := open(t, browser, run, nil)
	heads := b.heads("results")
	click := func(column int) {
		b.click(`#results thead tr:last-child th:nth-child(%d) button`, column+1)
	}
	batch := slices.Index(heads, "batch_size")
	require.GreaterOrEqual(t, batch, 0, heads)
	click(batch)
	require.Equal(t, []string{"16KiB", "1MiB"}, slices.Compact(b.texts("results", batch)))
	click(batch)
	require.Equal(t, []string{"1MiB", "16KiB"}, slices.Compact(b.texts("results", batch)))

	lost := slices.Index(heads, "lost")
	click(lost)
	var saved []int64
	for _, c := range run.Cells {
		saved = append(saved, c.InScenario("freeze")[0].Verdict.Lost.Total)
	}
	slices.Sort(saved)
	var shown []int64
	for _, text := range b.texts("results", lost) {
		n, err := strconv.ParseInt(strings.ReplaceAll(text, ",", ""), 10, 64)
		require.NoError(t, err)
		shown = append(shown, n)
	}
	require.Equal(t, saved, shown)
	b.clean()
}

func keyboard(t *testing.T, browser context.Context, _ fs.FS) {
	b := open(t, browser, raced(3000, 1000, 2000), nil)
	reached := false
	for range 40 { // more than there are places to stop at before the table
		b.do(chromedp.KeyEvent(kb.Tab))
		if reached = ask[bool](b, `document.activeElement.matches("th button") && document.activeElement.textContent === "msg/s"`); reached {
			break
		}
	}
	require.True(t, reached)
	b.do(chromedp.KeyEvent(kb.Enter))
	require.Equal(t, []string{"arm-1", "arm-2", "arm-0"}, b.texts("results", 0))
	require.Equal(t, "msg/s", ask[string](b, `document.activeElement.textContent`), "the focus stays")
	b.do(chromedp.KeyEvent(kb.Enter))
	require.Equal(t, []string{"arm-0", "arm-2", "arm-1"}, b.texts("results", 0))
	b.clean()
}

func filtering(t *testing.T, browser context.Context, _ fs.FS) {
	b := open(t, browser, matrix(), nil)
	status := `document.querySelector('.filter[data-for="results"] [role=status]').textContent`
	find := `.filter[data-for="results"] input`
	require.Equal(t, "24 of 24 rows", ask[string](b, status))
	b.do(chromedp.SendKeys(chromedp.CSS(find), "LZ4 1mib"))
	require.Equal(t, "6 of 24 rows", ask[string](b, status))
	codec := slices.Index(b.heads("results"), "compression")
	require.Equal(t, []string{"lz4"}, slices.Compact(b.texts("results", codec)))
	b.clean()

	b = open(t, browser, trouble(), nil)
	choose := func(what string) {
		b.do(chromedp.Focus(chromedp.CSS(`.filter[data-for="results"] select`)), chromedp.KeyEvent(what))
	}
	require.Equal(t, []string{"careful", "hasty"}, b.texts("results", 0))
	choose("v")
	require.Equal(t, []string{"careful"}, b.texts("results", 0))
	require.Equal(t, "1 of 2 rows", ask[string](b, status))
	b.do(chromedp.SendKeys(chromedp.CSS(find), "nobody"))
	require.Empty(t, b.texts("results", 0))
	require.Equal(t, "0 of 2 rows", ask[string](b, status))
	b.clean()
}

// followed are the links that do not show what they lead to. Before each, everything
// is closed but what the link itself is in.
const followed = `(async () => {
	const lost = [];
	for (const a of document.querySelectorAll("a")) {
		document.querySelectorAll("details").forEach((d) => d.open = d.contains(a));
		a.click();
		await new Promise((done) => setTimeout(done));
		const target = document.getElementById(a.getAttribute("href").slice(1));
		if (!target?.checkVisibility()) lost.push(a.outerHTML);
	}
	return lost;
})()`

// Every link opens what it leads to, and a count leads to the trial that it is of.
func leads(t *testing.T, browser context.Context, pictures fs.FS) {
	for name, run := range map[string]*result.Run{
		"semantics": semantics(), "trouble": trouble(), "failover": failover(), "omitted": omitted(), "capacity": bounds(), "hostile capacity": hostileCapacity(),
	} {
		b := open(t, browser, run, pictures)
		require.Empty(t, ask[[]string](b, followed), "%s: links that lead nowhere", name)
		b.clean()
	}

	// What is told of a rung or of a recovery leads to its trials too.
	for _, c := range []struct {
		run           *result.Run
		table, target string
	}{
		{knees(), "capacity", "cell-1-rate-5860"}, {failover(), "recovery", "cell-1-isolated"},
	} {
		b := open(t, browser, c.run, pictures)
		b.click(`#%s tbody tr:first-child td:last-child a`, c.table)
		b.until(fmt.Sprintf(`(() => {
			const repeats = document.getElementById(%q), place = repeats.getBoundingClientRect();
			return repeats.checkVisibility() && place.top >= 0 && place.top < innerHeight;
		})()`, c.target))
		b.clean()
	}

	b := open(t, browser, semantics(), pictures)
	lost := slices.Index(b.heads("results"), "lost")
	b.click(`#results tbody tr:first-child td:nth-child(%d) a`, lost+1)
	b.until(`(() => {
		const trial = document.getElementById("trial-010-at-most-once-crash-1"), place = trial.getBoundingClientRect();
		return trial.checkVisibility() && trial.textContent.includes("kill consumer at mid-batch") && place.top >= 0 && place.top < innerHeight;
	})()`)

	// A browser that does not open what it goes to is helped.
	require.True(t, ask[bool](b, `(() => {
		document.querySelectorAll("details").forEach((d) => d.open = false);
		history.replaceState(null, "", "#trial-020-at-least-once-crash-1");
		dispatchEvent(new HashChangeEvent("hashchange"));
		return document.getElementById("trial-020-at-least-once-crash-1").checkVisibility();
	})()`))
	b.clean()
}

func withoutScripts(t *testing.T, browser context.Context, pictures fs.FS) {
	b := open(t, browser, semantics(), pictures, noScripts())
	require.Equal(t, []string{"at-most-once", "at-least-once", "exactly-once"}, b.texts("results", 0))
	require.Len(t, b.texts("claims", 0), 18)
	require.Zero(t, ask[int](b, `[...document.querySelectorAll("button, input, select, .controls")].filter((e) => e.checkVisibility()).length`))

	// What a link leads to is opened by the browser itself.
	b.click(`#results tbody tr:first-child td:last-child a`)
	b.until(`document.getElementById("trial-010-at-most-once-crash-1").checkVisibility()`)
	b.clean()

	b = open(t, browser, matrix(), nil, noScripts())
	require.Len(t, b.texts("results", 0), 24)
}

// longNames is a run whose every name is too long for a phone.
func longNames(cells int) *result.Run {
	long := strings.Repeat("exactly-once-with-a-very-long-name-", 4)
	b := newBuild(long, long+"paced", long+"crash")
	b.run.Run.About = long
	for i := range cells {
		c := b.cell(fmt.Sprint(long, i), "exactly-once", "producer.librdkafka."+long, long+"value")
		pace(b.trial(c, long+"paced"), 1000, 2000, 3000)
		t := b.trial(c, long+"crash")
		pace(t, 1000, 2000, 3000)
		strike(t, "kill "+long, true, 5, 500, 5, 501)
		t.Warnings = []string{long + long}
	}
	b.cell(long+"omitted", "none").Omitted = long
	return b.claims("*/*", "lost == 0")
}

func narrowPage(t *testing.T, browser context.Context, pictures fs.FS) {
	for name, run := range map[string]*result.Run{
		"24 cells": matrix(), "24 cells with long names": longNames(24), "2 cells with long names": longNames(2), "hostile": hostile(), "brokers": failover(),
		"capacity": knees(), "capacity's bounds": bounds(), "capacity of two arms": severalArms(), "hostile capacity": hostileCapacity(),
	} {
		b := open(t, browser, run, pictures, narrow())
		unfold(b)
		require.LessOrEqual(t, ask[int](b, `Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)`), 390, name)
		require.Equal(t, 390, ask[int](b, `innerWidth`), name)
		// What stays in sight while a table is scrolled leaves room for the numbers.
		require.Empty(t, ask[[]string](b, `[...document.querySelectorAll("tbody .name")].filter((e) => e.offsetWidth > 390 / 2).map((e) => e.textContent)`), name)
		b.clean()
	}
}

func hostilePage(t *testing.T, browser context.Context, _ fs.FS) {
	run := hostile()
	evil := `</style></script><script>alert(2)</script><img src=x onerror=alert(3)>" onmouseover="alert(4)" x='` + "javascript:alert(5)"
	c := &run.Cells[0]
	c.Settings["producer.librdkafka."+evil], c.Trials[0].Settings[evil], c.Trials[0].ID = evil, evil, evil
	c.Trials[0].Faults = append(c.Trials[0].Faults, result.Fault{Name: evil, Steps: []result.Step{{What: evil}}})
	b := open(t, browser, run, fstest.MapFS{
		"charts/" + strings.ReplaceAll(evil, "/", "") + ".svg": {Data: []byte(evil)},
		"charts/losses.svg": {Data: []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" onload="alert(6)"><title>` + "t" + `</title><text onclick="alert(7)">x</text></svg>`)},
	})
	unfold(b)
	inert(b, 0)
	require.Contains(t, ask[string](b, `document.body.textContent`), "alert(3)", "it is there to be read")
}

// hostileCapacityPage: what a capacity run adds is escaped too. Its charts are of
// the run itself, so that they bear its names.
func hostileCapacityPage(t *testing.T, browser context.Context, _ fs.FS) {
	b := open(t, browser, hostileCapacity(), drawn(t, hostileCapacity()))
	unfold(b)
	drawings := ask[int](b, `document.querySelectorAll("figure svg").length`)
	require.NotZero(t, drawings)
	inert(b, drawings)
	require.Contains(t, ask[string](b, `document.querySelector("h2 + p code").textContent`), `<script>alert("1")</script>`, "it is there to be read")
}

// inert fails when anything but our script, our style and so many drawings is in the page.
func inert(b *tab, drawings int) {
	b.Helper()
	require.Equal(b, []int{1, 1, drawings}, ask[[]int](b, `["script", "style", "svg"].map((e) => document.querySelectorAll(e).length)`))
	require.Empty(b, ask[[]string](b, `[...document.querySelectorAll("*")].flatMap((e) => [...e.attributes]).filter((a) =>
		a.name.startsWith("on") || a.name === "style" || ["href", "src", "action"].includes(a.name) && !a.value.startsWith("#") && !a.value.startsWith("data:image/svg+xml;base64,")
	).map((a) => a.name + "=" + a.value)`))
	b.clean()
}

// firstScreen: on the screen of a small laptop stand the verdict, the whole table and
// the beginning of the chart that a decision is made on, below each other. What is
// assumed is behind them.
func firstScreen(t *testing.T, browser context.Context, _ fs.FS) {
	for name, run := range map[string]*result.Run{"semantics": semantics(), "capacity": knees(), "capacity's bounds": bounds()} {
		b := open(t, browser, run, drawn(t, run), chromedp.EmulateViewport(1280, 800))
		places := ask[[]float64](b, `[".verdict", "table", "figure text"].flatMap((s) => {
			const place = document.querySelector(s).getBoundingClientRect();
			return [place.top, place.bottom];
		})`)
		require.IsIncreasing(t, append(append([]float64{0}, places...), 800), name)
		require.True(t, ask[bool](b, `[...document.querySelectorAll("details")].every((d) => !d.open && d.getBoundingClientRect().top > 800)`), name)
		b.clean()
	}
}

// policed: what got into the page in spite of everything would not run.
func policed(t *testing.T, browser context.Context, _ fs.FS) {
	b := open(t, browser, semantics(), nil)
	b.clean()
	require.Equal(t, "undefined", ask[string](b, `(() => {
		const script = document.createElement("script");
		script.textContent = "window.ran = true";
		document.body.append(script);
		const button = document.createElement("button");
		button.setAttribute("onclick", "window.ran = true");
		document.body.append(button);
		button.click();
		return typeof window.ran;
	})()`))
	require.NotEqual(t, "rgb(1, 2, 3)", ask[string](b, `(() => {
		const style = document.createElement("style");
		style.textContent = "body { color: rgb(1, 2, 3) }";
		document.head.append(style);
		return getComputedStyle(document.body).color;
	})()`))
}

func paper(t *testing.T, browser context.Context, pictures fs.FS) {
	dark := asked(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Media: "print", Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}},
	})
	b := open(t, browser, matrix(), pictures, dark)
	require.Equal(t, []string{"rgb(255, 255, 255)", "rgb(27, 31, 36)"}, ask[[]string](b, `[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]`))
	require.Zero(t, ask[int](b, `[...document.querySelectorAll("input, select, .controls button")].filter((e) => e.checkVisibility()).length`))
	require.True(t, ask[bool](b, `document.querySelector(".printed").checkVisibility()`))
	// A header that sticks to a window, or has buttons, is not repeated on every page, and what scrolls is cut off.
	require.Equal(t, []string{"static", "contents", "none", "visible"}, ask[[]string](b, `[getComputedStyle(document.querySelector("thead")).position, getComputedStyle(document.querySelector("th button")).display,
		getComputedStyle(document.querySelector(".tall")).maxHeight, getComputedStyle(document.querySelector(".tall")).overflowX]`))
	pdf, err := chromedp.Run(b.ctx, chromedp.PrintToPDF(chromedp.PDFPreferCSSPageSize()))
	require.NoError(t, err)
	require.True(t, bytes.HasPrefix(pdf, []byte("%PDF-")))
	require.Greater(t, len(pdf), 10_000)
	b.clean()
}

// findings are what those who do not see the page, or see it badly, would miss.
const findings = `(() => {
	const out = [];
	const visible = (e) => e.checkVisibility({ visibilityProperty: true });
	for (const e of document.querySelectorAll("img, svg")) {
		if (!(e.getAttribute("alt") || e.getAttribute("aria-label"))) out.push("no name: " + e.outerHTML.slice(0, 80));
	}
	for (const e of document.querySelectorAll("input, select")) {
		if (!e.labels.length || !e.labels[0].textContent.trim()) out.push("no label: " + e.outerHTML);
	}
	for (const e of document.querySelectorAll("button, a, summary, h1, h2, h3, h4, h5, th")) {
		if (!e.textContent.trim()) out.push("empty: " + e.outerHTML);
	}
	for (const e of document.querySelectorAll("[role=region], [role=group]")) {
		if (!e.getAttribute("aria-label")) out.push("no name: " + e.outerHTML.slice(0, 80));
	}
	for (const e of document.querySelectorAll("th")) {
		if (!e.scope) out.push("no scope: " + e.outerHTML);
	}
	let level = 0;
	for (const h of document.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
		const n = Number(h.tagName[1]);
		if (n > level + 1) out.push("skips a level: " + h.outerHTML);
		level = n;
	}
	const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
	ids.filter((id, i) => ids.indexOf(id) !== i).forEach((id) => out.push("twice: #" + id));
	const channels = (color) => color.match(/[\d.]+/g).map(Number);
	const luminance = (color) => {
		const [r, g, b] = channels(color).map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const paper = (e) => {
		for (; e; e = e.parentElement) {
			const color = getComputedStyle(e).backgroundColor;
			if ((channels(color)[3] ?? 1) > 0) return color;
		}
		return "rgb(255, 255, 255)";
	};
	const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	let read = 0;
	while (texts.nextNode()) {
		const e = texts.currentNode.parentElement;
		if (!texts.currentNode.textContent.trim() || e.closest("svg, script") || !visible(e)) continue; // a chart's colours are its own matter
		const [a, b] = [luminance(getComputedStyle(e).color), luminance(paper(e))];
		const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		read++;
		if (contrast < 4.5) out.push("contrast " + contrast.toFixed(2) + ": " + e.outerHTML.slice(0, 120));
	}
	if (read < 20) out.push("only " + read + " texts were read");
	return [...new Set(out)];
})()`

func accessibility(t *testing.T, browser context.Context, pictures fs.FS) {
	for _, scheme := range []string{"light", "dark"} {
		for name, run := range map[string]*result.Run{
			"semantics": semantics(), "trouble": trouble(), "failover": failover(), "matrix": matrix(), "omitted": omitted(),
			"capacity": knees(), "capacity's bounds": bounds(), "capacity of two arms": severalArms(),
		} {
			b := open(t, browser, run, pictures, theme(scheme))
			unfold(b)
			require.Empty(t, ask[[]string](b, findings), "%s, %s", name, scheme)
			b.clean()
		}
	}
}

// drawings in the page follow its theme.
func drawings(t *testing.T, browser context.Context, pictures fs.FS) {
	colours := map[string]string{}
	for _, scheme := range []string{"light", "dark"} {
		b := open(t, browser, semantics(), pictures, theme(scheme))
		colours[scheme] = ask[string](b, `getComputedStyle(document.querySelector("svg text")).fill`)
	}
	require.Equal(t, "rgb(31, 35, 40)", colours["light"])
	require.NotEqual(t, colours["light"], colours["dark"])
}

func copying(t *testing.T, browser context.Context, pictures fs.FS) {
	b := open(t, browser, semantics(), pictures)
	unfold(b)
	b.click(`figure .controls button`)
	require.Regexp(t, `^!\[[A-Z].* chart: .*\]\(charts/[a-z-]+\.svg\)`, ask[string](b, `getSelection().toString()`))
	b.until(`document.querySelector("figure [role=status]").textContent !== ""`)
	b.clean()
}
