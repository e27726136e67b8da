package trial

import (
	"bytes"
	"os"
	"strconv"

	"deliverybench/bench/broker"
)

// resources is how busy the whole machine was in the measured window: broker,
// load and everything else that ran on it.
type resources struct {
	busy, total           float64
	brokerStart, broker   float64
	busyStart, totalStart float64
	ended                 bool
}

func (r *resources) begin(b broker.Broker) {
	r.busyStart, r.totalStart = processorTime()
	r.brokerStart = b.CPUSeconds()
}

func (r *resources) end(b broker.Broker) {
	busy, total := processorTime()
	r.busy, r.total = busy-r.busyStart, total-r.totalStart
	r.broker = b.CPUSeconds() - r.brokerStart
	r.ended = true
}

// share is the busy part of all processors' time, 0 to 1.
func (r *resources) share() float64 {
	if r.total <= 0 {
		return 0
	}
	return r.busy / r.total
}

// processorTime returns the machine's busy and total time in clock ticks, from
// the first line of /proc/stat (proc(5)): user nice system idle iowait irq
// softirq steal; guest time is in user time already. Zeros where there is none.
func processorTime() (busy, total float64) {
	data, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	line, _, _ := bytes.Cut(data, []byte("\n"))
	fields := bytes.Fields(line)
	if len(fields) < 9 {
		return 0, 0
	}
	for i, field := range fields[1:9] {
		ticks, _ := strconv.ParseFloat(string(field), 64)
		total += ticks
		if i != 3 && i != 4 { // idle, iowait
			busy += ticks
		}
	}
	return busy, total
}
