// Works off jobs of River on a PostgreSQL server, and prints how many per second.
//
//	river ADDRESS COUNT ENGINES WORKERS
//
// Each client stands for an engine: it has connections of its own and so many jobs at work at once. A job does
// nothing; it counts when its completion is in the database.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

const batch = 5000

type drainArgs struct {
	Payload string `json:"payload"`
}

func (drainArgs) Kind() string { return "drain" }

type drainWorker struct {
	river.WorkerDefaults[drainArgs]
	left *atomic.Int64
	done chan struct{}
}

func (w *drainWorker) Work(context.Context, *river.Job[drainArgs]) error {
	if w.left.Add(-1) == 0 {
		close(w.done)
	}
	return nil
}

func main() {
	numbers := make([]int, 3)
	for i := range numbers {
		number, err := strconv.Atoi(os.Args[i+2])
		if err != nil {
			log.Fatal(err)
		}
		numbers[i] = number
	}
	speed, err := run(context.Background(), os.Args[1], numbers[0], numbers[1], numbers[2])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(speed)
}

func run(ctx context.Context, address string, count, engines, workers int) (float64, error) {
	worker := &drainWorker{left: new(atomic.Int64), done: make(chan struct{})}
	worker.left.Store(int64(count))
	var clients []*river.Client[pgx.Tx]
	for i := range engines {
		pool, err := pgxpool.New(ctx, address)
		if err != nil {
			return 0, err
		}
		defer pool.Close()
		driver := riverpgxv5.New(pool)
		if i == 0 {
			migrator, err := rivermigrate.New(driver, nil)
			if err != nil {
				return 0, err
			}
			if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
				return 0, err
			}
		}
		list := river.NewWorkers()
		river.AddWorker(list, worker)
		client, err := river.NewClient(driver, &river.Config{
			ID:      fmt.Sprintf("engine-%d", i),
			Workers: list,
			Queues:  map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: workers}},
			// As fast as it goes: by default it looks every 100 ms at most.
			FetchCooldown:     time.Millisecond,
			FetchPollInterval: 10 * time.Millisecond,
		})
		if err != nil {
			return 0, err
		}
		clients = append(clients, client)
	}
	if err := fill(ctx, clients[0], count); err != nil {
		return 0, err
	}
	start := time.Now()
	for _, client := range clients {
		if err := client.Start(ctx); err != nil {
			return 0, err
		}
	}
	<-worker.done
	for _, client := range clients {
		// Returns when all completions are written.
		if err := client.Stop(ctx); err != nil {
			return 0, err
		}
	}
	return float64(count) / time.Since(start).Seconds(), nil
}

func fill(ctx context.Context, client *river.Client[pgx.Tx], count int) error {
	job := river.InsertManyParams{Args: drainArgs{Payload: strings.Repeat("x", 100)}}
	jobs := make([]river.InsertManyParams, batch)
	for i := range jobs {
		jobs[i] = job
	}
	for left := count; left > 0; left -= batch {
		if _, err := client.InsertManyFast(ctx, jobs[:min(left, batch)]); err != nil {
			return err
		}
	}
	return nil
}
