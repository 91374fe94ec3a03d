package main

import (
	"errors"
	"fmt"
	"math/rand"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	payloadBytes = 100
	batch        = 1_000
	// End to end: messages per publish and per claim, and how far the publisher may be ahead.
	flowBatch  = 100
	flowWindow = 1_000
	// Backlog of the claim case.
	backlog = 1_000_000
	// Rounds of the cases that measure a time.
	rounds = 300
	// Consumers that wait while a queue is idle.
	waiters = 10
)

var payload = strings.Repeat("x", payloadBytes)

// pollOf is how often consumers look, where that is the caller's choice: the usual 100 ms, and as often
// as is any use where throughput is measured.
func pollOf(kind string) time.Duration {
	if strings.HasPrefix(kind, "end-to-end") {
		return time.Millisecond
	}
	return 100 * time.Millisecond
}

func measure(q queue, w work) (map[string]float64, error) {
	var figures map[string]float64
	var err error
	word, number, _ := strings.Cut(w.kind, ":")
	count, _ := strconv.Atoi(number)
	switch word {
	case "publish":
		figures, err = publish(q, w, count, 1)
	case "publish-batch":
		figures, err = publish(q, w, 1, batch)
	case "end-to-end":
		figures, err = endToEnd(q, w, count)
	case "fill":
		figures, err = fill(q, w)
	case "claim-empty":
		if err = q.create(1, 1); err == nil {
			figures, err = claim(q, w, true)
		}
	case "claim-filled":
		figures, err = claim(q, w, false)
	case "wake":
		figures, err = wake(q, w)
	case "idle":
		figures, err = idle(q, w)
	default:
		err = fmt.Errorf("no case %q", w.kind)
	}
	return figures, err
}

// publish: callers publish for a time, each waiting for its answer before the next.
func publish(q queue, w work, callers, size int) (map[string]float64, error) {
	if err := q.create(1, flowBatch); err != nil {
		return nil, err
	}
	publishers := make([]publisher, callers)
	for i := range publishers {
		var err error
		if publishers[i], err = q.publisher(); err != nil {
			return nil, err
		}
	}
	if err := publishers[0].publish(size); err != nil {
		return nil, err
	}
	counts, errs := make([]int, callers), make([]error, callers)
	start := time.Now()
	var all sync.WaitGroup
	for i, p := range publishers {
		all.Go(func() {
			for time.Since(start) < w.time {
				if errs[i] = p.publish(size); errs[i] != nil {
					return
				}
				counts[i] += size
			}
		})
	}
	all.Wait()
	took := time.Since(start)
	return map[string]float64{"value": float64(sum(counts)) / took.Seconds()}, errors.Join(errs...)
}

// endToEnd: one publisher, never more than a window ahead of the slowest subscriber, and one consumer for
// each subscriber. The figure counts deliveries that were acknowledged in the time.
func endToEnd(q queue, w work, subscribers int) (map[string]float64, error) {
	if err := q.create(subscribers, flowBatch); err != nil {
		return nil, err
	}
	p, err := q.publisher()
	if err != nil {
		return nil, err
	}
	consumers := make([]consumer, subscribers)
	for i := range consumers {
		if consumers[i], err = q.consumer(i); err != nil {
			return nil, err
		}
	}
	var lock sync.Mutex
	changed := sync.NewCond(&lock)
	acked, published, ended := make([]int, subscribers), 0, false
	var failed error
	fail := func(err error) {
		lock.Lock()
		defer lock.Unlock()
		failed, ended = errors.Join(failed, err), true
		changed.Broadcast()
	}
	start := time.Now()
	var all sync.WaitGroup
	all.Go(func() {
		for {
			lock.Lock()
			for !ended && published-least(acked) > flowWindow-flowBatch {
				changed.Wait()
			}
			published += flowBatch
			stop := ended
			lock.Unlock()
			if stop {
				return
			}
			if err := p.publish(flowBatch); err != nil {
				fail(err)
				return
			}
		}
	})
	for i, c := range consumers {
		all.Go(func() {
			for {
				claimed, err := c.claim(flowBatch, 200*time.Millisecond)
				if err == nil && len(claimed) > 0 {
					err = c.ack(claimed)
				}
				if err != nil {
					fail(err)
					return
				}
				lock.Lock()
				stop := ended
				if !stop {
					acked[i] += len(claimed)
					changed.Broadcast()
				}
				lock.Unlock()
				if stop {
					return
				}
			}
		})
	}
	// A queue too slow to get anything through in this time is given more.
	total := 0
	for step := 0; step < 5 && total == 0; step++ {
		time.Sleep(w.time)
		lock.Lock()
		total = sum(acked)
		lock.Unlock()
	}
	lock.Lock()
	took := time.Since(start)
	total, ended = sum(acked), true
	changed.Broadcast()
	lock.Unlock()
	all.Wait()
	return map[string]float64{"value": float64(total) / took.Seconds()}, failed
}

func sum(counts []int) int {
	total := 0
	for _, count := range counts {
		total += count
	}
	return total
}

func least(counts []int) int {
	found := counts[0]
	for _, count := range counts {
		found = min(found, count)
	}
	return found
}

// fill publishes the backlog, or as much of it as the time allows.
func fill(q queue, w work) (map[string]float64, error) {
	if err := q.create(1, 1); err != nil {
		return nil, err
	}
	p, err := q.publisher()
	if err != nil {
		return nil, err
	}
	start, count := time.Now(), 0
	for count < backlog && time.Since(start) < w.time {
		if err := p.publish(batch); err != nil {
			return nil, err
		}
		count += batch
	}
	return map[string]float64{"value": float64(count)}, nil
}

// claim: the time until a consumer holds one message; with nothing else waiting, each is published first.
func claim(q queue, w work, empty bool) (map[string]float64, error) {
	p, err := q.publisher()
	if err != nil {
		return nil, err
	}
	c, err := q.consumer(0)
	if err != nil {
		return nil, err
	}
	var times []float64
	begin := time.Now()
	for len(times) < rounds && time.Since(begin) < w.time {
		if empty {
			if err := p.publish(1); err != nil {
				return nil, err
			}
		}
		start := time.Now()
		claimed, err := c.claim(1, 10*time.Second)
		took := time.Since(start)
		if err != nil {
			return nil, err
		}
		if len(claimed) != 1 {
			return nil, fmt.Errorf("claimed %d instead of 1", len(claimed))
		}
		times = append(times, float64(took.Nanoseconds())/1e3)
		if err := c.ack(claimed); err != nil {
			return nil, err
		}
	}
	return map[string]float64{"value": quantile(times, 0.5)}, nil
}

// wake: from the start of a publish until a consumer that was waiting holds the message. The publish comes
// at a random moment, so that it meets those that look now and then at any point of their pause.
func wake(q queue, w work) (map[string]float64, error) {
	if err := q.create(1, 1); err != nil {
		return nil, err
	}
	p, err := q.publisher()
	if err != nil {
		return nil, err
	}
	c, err := q.consumer(0)
	if err != nil {
		return nil, err
	}
	pause := max(q.pollsEvery(), 5*time.Millisecond)
	var times []float64
	begin := time.Now()
	for len(times) < rounds && time.Since(begin) < w.time {
		type answer struct {
			at      time.Time
			claimed []receipt
			err     error
		}
		woken := make(chan answer, 1)
		go func() {
			claimed, err := c.claim(1, 10*time.Second)
			woken <- answer{time.Now(), claimed, err}
		}()
		time.Sleep(2*time.Millisecond + time.Duration(rand.Int63n(int64(pause))))
		start := time.Now()
		if err := p.publish(1); err != nil {
			return nil, err
		}
		got := <-woken
		if got.err != nil || len(got.claimed) != 1 {
			return nil, fmt.Errorf("woken with %d messages: %w", len(got.claimed), got.err)
		}
		times = append(times, float64(got.at.Sub(start).Nanoseconds())/1e3)
		if err := c.ack(got.claimed); err != nil {
			return nil, err
		}
	}
	return map[string]float64{"p50": quantile(times, 0.5), "p99": quantile(times, 0.99)}, nil
}

// idle: processor time and memory while consumers wait and nothing comes.
func idle(q queue, w work) (map[string]float64, error) {
	if err := q.create(1, 1); err != nil {
		return nil, err
	}
	for range waiters {
		c, err := q.consumer(0)
		if err != nil {
			return nil, err
		}
		go func() { _, _ = c.claim(1, w.time+30*time.Second) }()
	}
	// What starting costs is no part of it.
	time.Sleep(time.Second)
	before, err := cpuSeconds(w.pid)
	if err != nil {
		return nil, err
	}
	time.Sleep(w.time)
	after, err := cpuSeconds(w.pid)
	if err != nil {
		return nil, err
	}
	memory, err := residentMiB(w.pid)
	share := (after - before) / w.time.Seconds() * 100
	return map[string]float64{"cpu": share, "memory": memory}, err
}

func quantile(values []float64, share float64) float64 {
	sort.Float64s(values)
	if len(values) == 0 {
		return 0
	}
	return values[min(int(float64(len(values))*share), len(values)-1)]
}

func cpuSeconds(pid int) (float64, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The name in the second field may hold spaces; the fields are counted behind it.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	user, err1 := strconv.ParseFloat(fields[11], 64)
	system, err2 := strconv.ParseFloat(fields[12], 64)
	return (user + system) / 100, errors.Join(err1, err2)
}

func residentMiB(pid int) (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, found := strings.CutPrefix(line, "VmRSS:"); found {
			kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kib / 1024, err
		}
	}
	return 0, errors.New("no VmRSS")
}
