package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// beanstalkd has no fan-out: a tube for each subscriber, and a copy of each message in each tube.
type beanstalkd struct {
	address     string
	subscribers int
}

func openBeanstalkd(address string) *beanstalkd { return &beanstalkd{address, 1} }

func (b *beanstalkd) pollsEvery() time.Duration { return 0 }

// create: tubes come into being by use.
func (b *beanstalkd) create(subscribers, _ int) error {
	b.subscribers = subscribers
	return nil
}

// A beanstalkdLine is a connection; requests may be sent ahead of their answers.
type beanstalkdLine struct {
	in  *bufio.Reader
	out *bufio.Writer
}

func (b *beanstalkd) dial() (*beanstalkdLine, error) {
	connection, err := net.Dial("tcp", b.address)
	if err != nil {
		return nil, err
	}
	return &beanstalkdLine{bufio.NewReaderSize(connection, 1<<16), bufio.NewWriterSize(connection, 1<<16)}, nil
}

func (l *beanstalkdLine) send(format string, words ...any) {
	fmt.Fprintf(l.out, format+"\r\n", words...)
}

// expect reads an answer that begins with a word and returns the rest of its line.
func (l *beanstalkdLine) expect(word string) (string, error) {
	line, err := l.in.ReadString('\n')
	if err != nil {
		return "", err
	}
	line = strings.TrimSpace(line)
	rest, found := strings.CutPrefix(line, word)
	if !found {
		return "", fmt.Errorf("%q instead of %s", line, word)
	}
	return strings.TrimSpace(rest), nil
}

func (b *beanstalkd) publisher() (publisher, error) {
	line, err := b.dial()
	return &beanstalkdPublisher{line, b.subscribers}, err
}

type beanstalkdPublisher struct {
	*beanstalkdLine
	subscribers int
}

func (p *beanstalkdPublisher) publish(count int) error {
	for subscriber := range p.subscribers {
		p.send("use %s", group(subscriber))
		for range count {
			p.send("put 0 0 60 %d\r\n%s", payloadBytes, payload)
		}
	}
	if err := p.out.Flush(); err != nil {
		return err
	}
	for range p.subscribers {
		if _, err := p.expect("USING"); err != nil {
			return err
		}
		for range count {
			if _, err := p.expect("INSERTED"); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *beanstalkd) consumer(subscriber int) (consumer, error) {
	line, err := b.dial()
	if err != nil {
		return nil, err
	}
	line.send("watch %s", group(subscriber))
	line.send("ignore default")
	if err := line.out.Flush(); err != nil {
		return nil, err
	}
	for range 2 {
		if _, err := line.expect("WATCHING"); err != nil {
			return nil, err
		}
	}
	return &beanstalkdConsumer{line}, nil
}

type beanstalkdConsumer struct{ *beanstalkdLine }

// claim takes what is there, asked for at once, and if there is nothing, one as soon as it comes.
func (c *beanstalkdConsumer) claim(max int, wait time.Duration) ([]receipt, error) {
	claimed, err := c.reserve(max, 0)
	if err != nil || len(claimed) > 0 {
		return claimed, err
	}
	return c.reserve(1, (wait+time.Second-1)/time.Second)
}

func (c *beanstalkdConsumer) reserve(count int, seconds time.Duration) ([]receipt, error) {
	for range count {
		c.send("reserve-with-timeout %d", seconds)
	}
	if err := c.out.Flush(); err != nil {
		return nil, err
	}
	var claimed []receipt
	for range count {
		line, err := c.expect("")
		if err != nil {
			return nil, err
		}
		if line == "TIMED_OUT" || line == "DEADLINE_SOON" {
			continue
		}
		var id string
		var bytes int64
		if _, err := fmt.Sscanf(line, "RESERVED %s %d", &id, &bytes); err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
		if _, err := io.CopyN(io.Discard, c.in, bytes+2); err != nil {
			return nil, err
		}
		claimed = append(claimed, receipt{id: id})
	}
	return claimed, nil
}

func (c *beanstalkdConsumer) ack(claimed []receipt) error {
	for _, each := range claimed {
		c.send("delete %s", each.id)
	}
	if err := c.out.Flush(); err != nil {
		return err
	}
	for range claimed {
		if _, err := c.expect("DELETED"); err != nil {
			return err
		}
	}
	return nil
}
