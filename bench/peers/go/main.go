// Drives one queue through one case and prints one line of JSON: names of figures and their values.
//
//	driver QUEUE CASE TARGET SECONDS PID
//
// TARGET is the address of a server or the folder of a library's file; PID is the process whose idle
// costs are asked for, 0 for this one. Every queue runs the same cases, in cases.go.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"time"
)

// A receipt is what a consumer holds of a claimed message.
type receipt struct {
	id, token string
	raw       any
}

// A queue is a server, or a library and its file.
type queue interface {
	// create makes a topic with so many subscribers, each of which is given every message and claims at
	// most so many at once.
	create(subscribers, claimMax int) error
	publisher() (publisher, error)
	consumer(subscriber int) (consumer, error)
	// pollsEvery is how often a waiting consumer looks; 0 if it is woken.
	pollsEvery() time.Duration
}

type publisher interface {
	// publish returns when so many messages are as durable as this queue makes them.
	publish(count int) error
}

type consumer interface {
	// claim waits for at least one message, as long as told, and takes at most so many.
	claim(max int, wait time.Duration) ([]receipt, error)
	ack(claimed []receipt) error
}

// A work is what the command line asks for.
type work struct {
	kind, target string
	time         time.Duration
	pid          int
	// Libraries only: no waiting for the disk, to fill a file in a bearable time.
	relaxed bool
	// How often a consumer looks, where the choice is the caller's.
	poll time.Duration
}

func open(name string, w work) (queue, error) {
	switch name {
	case "blockqueue":
		return openBlockQueue(w.target), nil
	case "redis":
		return openRedis(w.target)
	case "nats":
		return openNats(w.target)
	case "beanstalkd":
		return openBeanstalkd(w.target), nil
	case "goqite":
		return openGoqite(w)
	}
	return nil, fmt.Errorf("no queue %q", name)
}

func run(arguments []string) (map[string]float64, error) {
	if len(arguments) != 5 {
		return nil, fmt.Errorf("usage: driver QUEUE CASE TARGET SECONDS PID")
	}
	seconds, err := strconv.ParseFloat(arguments[3], 64)
	if err != nil {
		return nil, err
	}
	pid, err := strconv.Atoi(arguments[4])
	if err != nil {
		return nil, err
	}
	if pid == 0 {
		pid = os.Getpid()
	}
	w := work{
		kind:   arguments[1],
		target: arguments[2],
		time:   time.Duration(seconds * float64(time.Second)),
		pid:    pid,
	}
	w.relaxed = w.kind == "fill"
	w.poll = pollOf(w.kind)
	q, err := open(arguments[0], w)
	if err != nil {
		return nil, err
	}
	return measure(q, w)
}

func main() {
	figures, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	line, err := json.Marshal(figures)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(string(line))
}
