//go:build blockqueue_testclock

package blockqueue

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var scriptStart = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

const scriptPatience = 10 * time.Second

// TestConformance runs every script of the repository through this package, on a queue in memory and on one in a
// file.
func TestConformance(t *testing.T) {
	scripts, err := readScripts()
	if err != nil || len(scripts) < 100 {
		t.Fatalf("%d scripts: %v", len(scripts), err)
	}
	for _, face := range []string{"memory", "file"} {
		for _, script := range scripts {
			t.Run(face+"/"+script.Name, func(t *testing.T) {
				path := ":memory:"
				if face == "file" {
					path = filepath.Join(t.TempDir(), "queue.db")
				} else if slices.Contains(script.Needs, "reopen") {
					t.Skip("a queue in memory cannot be opened again")
				}
				runScript(t, script, path)
			})
		}
	}
}

// runner carries out the steps of one script.
type runner struct {
	queue   *Queue
	path    string
	clock   *TestClock
	now     time.Time
	saved   map[string]any
	started map[string]chan outcome
	skipped []string
}

// outcome is what an operation led to, and when.
type outcome struct {
	answer any
	err    error
	since  time.Time
	at     time.Time
}

func runScript(t *testing.T, script script, path string) {
	r := &runner{
		path: path, clock: NewTestClock(scriptStart), now: scriptStart,
		saved: map[string]any{}, started: map[string]chan outcome{},
	}
	if err := r.open(); err != nil {
		t.Fatal(err)
	}
	defer func() { r.queue.Close() }()
	for at, step := range script.Steps {
		if err := r.step(step); err != nil {
			t.Fatalf("%s\nstep %d: %v\n%v", script.Rule, at+1, step, err)
		}
	}
	for _, skipped := range r.skipped {
		t.Log("skipped:", skipped)
	}
}

func (r *runner) open() (err error) {
	r.queue, err = OpenWithClock(context.Background(), r.path, nil, r.clock)
	return err
}

func (r *runner) step(step map[string]any) error {
	if name, ok := step["join"].(string); ok {
		select {
		case found := <-r.started[name]:
			return r.check(step, found)
		case <-time.After(scriptPatience):
			return errors.New("it was not answered in time")
		}
	}
	word := step["do"].(string)
	switch word {
	case "advance":
		r.move(r.now.Add(time.Duration(step["ms"].(float64)) * time.Millisecond))
		return nil
	case "set_clock":
		r.move(scriptStart.Add(time.Duration(step["at"].(float64)) * time.Millisecond))
		return nil
	}
	given := r.arguments(step)
	if place := zeroMeansDefault(word, given); place != "" {
		r.skipped = append(r.skipped, place+": zero means the default in Go")
		return nil
	}
	if name, ok := step["start"].(string); ok {
		place := make(chan outcome, 1)
		r.started[name] = place
		go func() { place <- r.timed(word, given) }()
		return nil
	}
	deadline, pause := time.Now().Add(scriptPatience), 5*time.Millisecond
	for {
		err := r.check(step, r.timed(word, given))
		if err == nil || step["eventually"] != true || time.Now().After(deadline) {
			return err
		}
		time.Sleep(pause)
		pause = min(2*pause, 640*time.Millisecond)
	}
}

func (r *runner) move(to time.Time) {
	r.now = to
	r.clock.Set(to)
}

var stepWords = []string{"do", "expect", "error", "index", "save", "eventually", "takes_ms", "start", "note"}

// arguments are those of the operation, with instants as the library has them.
func (r *runner) arguments(step map[string]any) arguments {
	given := arguments{}
	for name, value := range step {
		if !slices.Contains(stepWords, name) {
			given[name] = resolve(value, r.saved)
		}
	}
	return shiftInstants(map[string]any(given), "", scriptStart.UnixMilli()).(map[string]any)
}

func (r *runner) timed(word string, given arguments) outcome {
	since := time.Now()
	answer, err := r.perform(word, given)
	return outcome{answer: answer, err: err, since: since, at: time.Now()}
}

func (r *runner) check(step map[string]any, found outcome) error {
	if found.err != nil {
		return checkError(step, found.err)
	}
	answer := inWords(found.answer)
	if wanted, ok := step["error"]; ok {
		return fmt.Errorf("expected error %v, found %v", wanted, answer)
	}
	if atLeast, ok := step["takes_ms"].(float64); ok {
		if took := found.at.Sub(found.since); took < time.Duration(atLeast)*time.Millisecond {
			return fmt.Errorf("answered after %v, expected %v ms or more", took, atLeast)
		}
	}
	if expected, ok := step["expect"]; ok {
		if differs := difference(resolve(expected, r.saved), answer, "the answer"); differs != "" {
			return errors.New(differs)
		}
	}
	if name, ok := step["save"].(string); ok {
		r.saved[name] = answer
	}
	return nil
}

func checkError(step map[string]any, err error) error {
	var failure *Error
	if !errors.As(err, &failure) || failure.Code.String() != step["error"] {
		return fmt.Errorf("expected %v, found %w", step["error"], err)
	}
	if index, ok := step["index"].(float64); ok && failure.Index != int(index) {
		return fmt.Errorf("expected item %v, found %d", index, failure.Index)
	}
	return nil
}

// shiftInstants adds to every instant: members named at, or whose name ends in _at.
func shiftInstants(value any, name string, by int64) any {
	switch value := value.(type) {
	case float64:
		if name == "at" || strings.HasSuffix(name, "_at") {
			return value + float64(by)
		}
		return value
	case []any:
		for at := range value {
			value[at] = shiftInstants(value[at], name, by)
		}
		return value
	case map[string]any:
		for name, member := range value {
			value[name] = shiftInstants(member, name, by)
		}
		return value
	default:
		return value
	}
}
