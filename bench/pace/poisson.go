package pace

import (
	"math"
	"math/rand/v2"
	"sort"
	"time"

	"deliverybench/bench/profile"
)

// blockMessages is how many messages share one draw of the generator. It is
// large, so gaps are exponential to 1 part in 16384, and small enough that
// drawing a block (about 0.1 ms) does not make the load late.
const blockMessages = 1 << 14

// poisson spaces messages by exponential gaps, so that arrivals are
// independent of each other.
//
// Messages are drawn in blocks of M. A block lasts exactly M / rate, which
// keeps the mean rate exact and message n independent of all earlier blocks;
// within it the arrivals are a Poisson process given that M of them fall into
// the block. That process is M exponential gaps divided by their sum (L.
// Devroye, Non-Uniform Random Variate Generation, 1986, theorem V.2.2). The
// price: counts over windows as long as a block vary less than Poisson counts do.
//
// The gaps of block b come from a generator seeded with (seed, b) alone. The
// last used block is kept; going through n in order draws each block once.
type poisson struct {
	even      constant
	seed      uint64
	generator *rand.PCG
	draw      *rand.Rand
	block     int64 // the number of the block in due, -1 for none
	due       [blockMessages]int64
	gaps      [blockMessages]float64 // scratch: sums of gaps, before scaling
}

func newPoisson(rate profile.Rate, seed uint64) *poisson {
	generator := rand.NewPCG(seed, 0)
	return &poisson{
		even: newConstant(rate), seed: seed,
		generator: generator, draw: rand.New(generator), block: -1,
	}
}

func (p *poisson) At(n int64) time.Duration {
	if block := n / blockMessages; block != p.block {
		p.load(block)
	}
	return time.Duration(p.due[n%blockMessages])
}

func (p *poisson) Count(window time.Duration) int64 {
	evenly := p.even.Count(window)
	if evenly == 0 {
		return 0
	}
	// The last block that starts before the window ends: all earlier ones are
	// due, all later ones are not.
	block := (evenly - 1) / blockMessages
	if block != p.block {
		p.load(block)
	}
	first := block * blockMessages
	within := sort.Search(blockMessages, func(i int) bool { return p.due[i] >= int64(window) })
	return first + min(int64(within), math.MaxInt64-first)
}

// load draws the block. Its first message is due at its start: the gap that
// ends there is the last one of the block before.
func (p *poisson) load(block int64) {
	first := block * blockMessages
	start := int64(p.even.At(first))
	length := float64(int64(p.even.At(first+blockMessages)) - start)
	p.generator.Seed(p.seed, uint64(block))
	var sum float64
	for i := range p.gaps {
		p.gaps[i] = sum
		sum += p.draw.ExpFloat64()
	}
	for i := range p.gaps {
		p.due[i] = start + int64(p.gaps[i]/sum*length)
	}
	p.block = block
}
