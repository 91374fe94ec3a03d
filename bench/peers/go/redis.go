package main

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

var always = context.Background()

// redisStreams: one stream, a consumer group for each subscriber. What was acknowledged stays in the stream.
type redisStreams struct{ client *redis.Client }

func openRedis(address string) (*redisStreams, error) {
	client := redis.NewClient(&redis.Options{Addr: address, PoolSize: 1_024, ReadTimeout: time.Minute})
	// It listens before it has read its file.
	deadline := time.Now().Add(30 * time.Second)
	for {
		err := client.Ping(always).Err()
		if err == nil || time.Now().After(deadline) {
			return &redisStreams{client}, err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (r *redisStreams) pollsEvery() time.Duration { return 0 }

func (r *redisStreams) create(subscribers, _ int) error {
	for i := range subscribers {
		if err := r.client.XGroupCreateMkStream(always, "t", group(i), "0").Err(); err != nil {
			return err
		}
	}
	return nil
}

func group(subscriber int) string { return fmt.Sprintf("s%d", subscriber) }

func (r *redisStreams) publisher() (publisher, error) { return r, nil }

func (r *redisStreams) publish(count int) error {
	add := &redis.XAddArgs{Stream: "t", Values: []string{"m", payload}}
	if count == 1 {
		return r.client.XAdd(always, add).Err()
	}
	_, err := r.client.Pipelined(always, func(pipe redis.Pipeliner) error {
		for range count {
			pipe.XAdd(always, add)
		}
		return nil
	})
	return err
}

func (r *redisStreams) consumer(subscriber int) (consumer, error) {
	return &redisConsumer{r.client, group(subscriber)}, nil
}

type redisConsumer struct {
	client *redis.Client
	group  string
}

func (c *redisConsumer) claim(max int, wait time.Duration) ([]receipt, error) {
	streams, err := c.client.XReadGroup(always, &redis.XReadGroupArgs{
		Group: c.group, Consumer: "c", Streams: []string{"t", ">"}, Count: int64(max), Block: wait,
	}).Result()
	if err == redis.Nil {
		return nil, nil
	}
	var claimed []receipt
	for _, stream := range streams {
		for _, message := range stream.Messages {
			claimed = append(claimed, receipt{id: message.ID})
		}
	}
	return claimed, err
}

func (c *redisConsumer) ack(claimed []receipt) error {
	ids := make([]string, 0, len(claimed))
	for _, each := range claimed {
		ids = append(ids, each.id)
	}
	return c.client.XAck(always, "t", c.group, ids...).Err()
}
