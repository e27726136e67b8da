package main

import (
	"io"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// While a run goes Prometheus can read of it, and nobody listens any more when it
// is over.
func TestMetricsOfARun(t *testing.T) {
	p := newPlace(t)
	r := p.start("-profile", p.profile("watched", tiny+"repeats: 3\n"), "-out", p.out, "-metrics", "0")
	r.stdout.await(t, `metrics: http://127\.0\.0\.1:\d+/metrics`)
	url := regexp.MustCompile(`http://\S+`).FindString(r.stdout.String())
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	running := regexp.MustCompile(`deliverybench_trial_running\{cell="watched",phase="[a-z ]+",repeat="[123]",scenario="steady",`)
	require.Eventually(t, func() bool {
		got, err := client.Get(url)
		if err != nil {
			return false
		}
		defer got.Body.Close()
		text, err := io.ReadAll(got.Body)
		return err == nil && running.Match(text)
	}, within, 10*time.Millisecond)
	require.Equal(t, exitMet, r.end())
	_, err := client.Get(url)
	require.Error(t, err)
}
