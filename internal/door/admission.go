package door

import (
	"math"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"
)

// Admission bounds one source: how many requests a second, and how many at once.
type Admission struct {
	requests    *rate.Limiter // nil without a bound
	maxInFlight int64
	inFlight    atomic.Int64
}

// NewAdmission takes zero as no bound. A source may use a second's worth of requests at once.
func NewAdmission(perSecond float64, maxInFlight int) *Admission {
	a := &Admission{maxInFlight: int64(maxInFlight)}
	if perSecond > 0 {
		a.requests = rate.NewLimiter(rate.Limit(perSecond), max(1, int(math.Ceil(perSecond))))
	}
	return a
}

// Enter lets a request in, or says why not. Who was let in must Leave.
func (a *Admission) Enter(now time.Time) *Refusal {
	if a.requests != nil {
		if r := a.requests.ReserveN(now, 1); r.DelayFrom(now) > 0 {
			wait := r.DelayFrom(now)
			r.CancelAt(now)
			return RefuseRate.After(wait)
		}
	}
	if n := a.inFlight.Add(1); a.maxInFlight > 0 && n > a.maxInFlight {
		a.inFlight.Add(-1)
		return RefuseRate
	}
	return nil
}

// Leave gives the place back.
func (a *Admission) Leave() { a.inFlight.Add(-1) }

// Memory bounds the bytes of all requests on their way through a door.
type Memory struct{ free *semaphore.Weighted }

// NewMemory bounds them to limit bytes.
func NewMemory(limit int64) *Memory { return &Memory{semaphore.NewWeighted(limit)} }

// Take takes n bytes if they are free, without waiting.
func (m *Memory) Take(n int64) bool { return m.free.TryAcquire(n) }

// Give returns what was taken.
func (m *Memory) Give(n int64) { m.free.Release(n) }
