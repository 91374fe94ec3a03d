// The driver mattn/go-sqlite3 behind database/sql.
package main

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"log"
	"os"

	"github.com/mattn/go-sqlite3"
)

type request struct {
	Do, X, Topic, Payload, Receipt, Error string
}

type client struct {
	// One connection: between two requests a transaction is open on it.
	connection *sql.Conn
	// _txlock makes each of its Begins a BEGIN IMMEDIATE.
	transaction *sql.Tx
}

func main() {
	db, err := sql.Open("sqlite3", "file:"+os.Args[1]+"?_txlock=immediate&_busy_timeout=10000")
	if err != nil {
		log.Fatal(err)
	}
	connection, err := db.Conn(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	client := client{connection: connection}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var asked request
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			log.Fatal(err)
		}
		answer, err := client.carryOut(asked)
		if err != nil {
			answer = map[string]any{"error": err.Error()}
		}
		if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
			log.Fatal(err)
		}
	}
}

func (c *client) carryOut(asked request) (map[string]any, error) {
	ctx := context.Background()
	switch asked.Do {
	case "begin":
		transaction, err := c.connection.BeginTx(ctx, nil)
		c.transaction = transaction
		return map[string]any{}, err
	case "begin_deferred":
		return c.execute("BEGIN DEFERRED")
	case "app":
		return c.execute("INSERT INTO app (x) VALUES (?)", asked.X)
	case "read":
		var rows int
		err := c.connection.QueryRowContext(ctx, "SELECT count(*) FROM app").Scan(&rows)
		return map[string]any{"rows": rows}, err
	case "publish":
		return c.execute("INSERT INTO blockqueue_publish (topic, payload) VALUES (?, ?)", asked.Topic, asked.Payload)
	case "ack":
		return c.execute("INSERT INTO blockqueue_ack (receipt) VALUES (?)", asked.Receipt)
	case "nack":
		return c.execute("INSERT INTO blockqueue_nack (receipt, error) VALUES (?, ?)", asked.Receipt, asked.Error)
	case "commit", "rollback":
		return map[string]any{}, c.end(asked.Do == "commit")
	case "version":
		version, _, _ := sqlite3.Version()
		return map[string]any{"version": version}, nil
	}
	log.Fatalf("no such verb: %s", asked.Do)
	return nil, nil
}

// Inside the transaction, if there is one.
func (c *client) execute(statement string, values ...any) (map[string]any, error) {
	execute := c.connection.ExecContext
	if c.transaction != nil {
		execute = c.transaction.ExecContext
	}
	result, err := execute(context.Background(), statement, values...)
	if err != nil {
		return nil, err
	}
	rows, err := result.RowsAffected()
	return map[string]any{"rows": rows}, err
}

func (c *client) end(commit bool) error {
	transaction := c.transaction
	c.transaction = nil
	if transaction == nil {
		// Begun by hand.
		words := map[bool]string{true: "COMMIT", false: "ROLLBACK"}
		_, err := c.connection.ExecContext(context.Background(), words[commit])
		return err
	}
	if commit {
		return transaction.Commit()
	}
	return transaction.Rollback()
}
