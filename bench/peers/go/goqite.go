package main

import (
	"database/sql"
	_ "embed"
	"os"
	"path/filepath"
	"time"

	_ "github.com/mattn/go-sqlite3"
	"maragu.dev/goqite"
)

// goqiteFile: a library on SQLite without fan-out: a named queue for each subscriber, and a copy of each
// message in each. Batches are the caller's transactions, which the library is made for.
type goqiteFile struct {
	db     *sql.DB
	queues []*goqite.Queue
	poll   time.Duration
}

func openGoqite(w work) (*goqiteFile, error) {
	synchronous := "FULL"
	if w.relaxed {
		synchronous = "OFF"
	}
	path := filepath.Join(w.target, "goqite.db")
	_, missing := os.Stat(path)
	// As in the library's own example, but for `_synchronous`: NORMAL is what this driver takes in WAL mode.
	db, err := sql.Open("sqlite3", path+"?_journal=WAL&_timeout=5000&_fk=true&_synchronous="+synchronous)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	db.SetMaxIdleConns(1)
	file := &goqiteFile{db: db, poll: w.poll}
	if missing != nil {
		if _, err := db.Exec(goqiteSchema); err != nil {
			return nil, err
		}
	}
	file.named(1)
	return file, nil
}

// goqiteSchema is what the library asks its users to run.
//
//go:embed goqite_schema.sql
var goqiteSchema string

func (g *goqiteFile) named(subscribers int) {
	g.queues = nil
	for i := range subscribers {
		options := goqite.NewOpts{DB: g.db, Name: group(i), Timeout: time.Minute}
		g.queues = append(g.queues, goqite.New(options))
	}
}

func (g *goqiteFile) pollsEvery() time.Duration { return g.poll }

func (g *goqiteFile) create(subscribers, _ int) error {
	g.named(subscribers)
	return nil
}

func (g *goqiteFile) publisher() (publisher, error) { return g, nil }

func (g *goqiteFile) publish(count int) error {
	if count == 1 && len(g.queues) == 1 {
		return g.queues[0].Send(always, goqite.Message{Body: []byte(payload)})
	}
	return g.inTransaction(func(tx *sql.Tx) error {
		for _, queue := range g.queues {
			for range count {
				if err := queue.SendTx(always, tx, goqite.Message{Body: []byte(payload)}); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (g *goqiteFile) inTransaction(work func(*sql.Tx) error) error {
	tx, err := g.db.BeginTx(always, nil)
	if err != nil {
		return err
	}
	if err := work(tx); err != nil {
		_ = tx.Rollback()
		return err
	}
	return tx.Commit()
}

func (g *goqiteFile) consumer(subscriber int) (consumer, error) {
	return &goqiteConsumer{g, g.queues[subscriber]}, nil
}

type goqiteConsumer struct {
	*goqiteFile
	queue *goqite.Queue
}

func (c *goqiteConsumer) claim(max int, wait time.Duration) ([]receipt, error) {
	for deadline := time.Now().Add(wait); ; time.Sleep(c.poll) {
		claimed, err := c.receive(max)
		if err != nil || len(claimed) > 0 || time.Now().After(deadline) {
			return claimed, err
		}
	}
}

func (c *goqiteConsumer) receive(max int) (claimed []receipt, err error) {
	err = c.inTransaction(func(tx *sql.Tx) error {
		for len(claimed) < max {
			message, err := c.queue.ReceiveTx(always, tx)
			if err != nil || message == nil {
				return err
			}
			claimed = append(claimed, receipt{id: string(message.ID)})
		}
		return nil
	})
	return claimed, err
}

func (c *goqiteConsumer) ack(claimed []receipt) error {
	return c.inTransaction(func(tx *sql.Tx) error {
		for _, each := range claimed {
			if err := c.queue.DeleteTx(always, tx, goqite.ID(each.id)); err != nil {
				return err
			}
		}
		return nil
	})
}
