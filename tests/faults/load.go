package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/generate"
)

// load sends events and keeps the ledger: a line for each record the broker took, on disk before the next fault.
type load struct {
	rig     *rig
	opts    generate.Options
	gen     *generate.Generator
	file    *os.File
	lines   *bufio.Writer
	later   []generate.Statement // made known when half is sent
	laterAt int                  // events sent before
	sent    int
}

// entry is a line of the ledger.
type entry struct {
	ID   string `json:"id"`
	Hash string `json:"sha256"`
}

func newLoad(r *rig, seed uint64, p plan) (*load, error) {
	l := &load{rig: r, opts: generate.Options{
		Seed: seed, Count: p.Events, Users: max(100, p.Events/100), Start: time.Now().UTC().Add(-2 * time.Hour).Truncate(time.Second),
		BadShare: 0.01, MissingConsentShare: 0.02, WithdrawnShare: 0.05, RepeatShare: 0.01, CanaryEvery: 100,
	}}
	l.gen = generate.New(l.opts)
	r.share = p.Events / max(1, len(p.steps(seed)))
	var err error
	if l.file, err = os.Create(filepath.Join(r.dir, "ledger.jsonl")); err != nil {
		return nil, err
	}
	l.lines = bufio.NewWriterSize(l.file, 1<<16)
	said := l.gen.Statements()
	l.later = said[len(said)/2:]
	return l, l.withdraw(context.Background(), said[:len(said)/2])
}

func (l *load) close() { l.file.Close() }

// withdraw writes what people said to the consent topic.
func (l *load) withdraw(ctx context.Context, said []generate.Statement) error {
	var records []*kgo.Record
	for _, s := range said {
		rec := consent.Record{Version: s.Version, Purposes: s.Purposes, Source: "consent_service", ChangedAt: s.ChangedAt}
		key := l.rig.ring.SubjectPseudonym("user_id", s.Subject.UserID)
		records = append(records, &kgo.Record{Topic: "privacy.consent", Key: []byte(key), Value: rec.Append(nil)})
	}
	return l.rig.client.ProduceSync(ctx, records...).FirstErr()
}

// send sends the i-th of n parts and returns when the ledger has all of it on disk.
func (l *load) send(ctx context.Context, i, n int) error {
	if i == n/2 {
		if err := l.withdraw(ctx, l.later); err != nil {
			return err
		}
		l.laterAt = l.sent
	}
	var (
		mu     sync.Mutex
		wg     sync.WaitGroup
		failed error
	)
	for end := (i + 1) * l.opts.Count / n; l.sent < end; l.sent++ {
		ev, ok := l.gen.Next(nil)
		if !ok {
			break
		}
		sum := sha256.Sum256(ev.Bytes)
		line, err := json.Marshal(entry{ev.ID, hex.EncodeToString(sum[:])})
		if err != nil {
			return err
		}
		wg.Add(1)
		l.rig.client.Produce(ctx, &kgo.Record{Topic: inbound, Key: []byte(ev.Subject.UserID + ev.Subject.AnonymousID), Value: ev.Bytes}, func(_ *kgo.Record, err error) {
			mu.Lock()
			if err == nil {
				_, err = l.lines.Write(append(line, '\n'))
			}
			failed = errors.Join(failed, err)
			mu.Unlock()
			wg.Done()
		})
	}
	wg.Wait()
	if failed != nil {
		return fmt.Errorf("sending: %w", failed)
	}
	return errors.Join(l.lines.Flush(), l.file.Sync())
}

// ledger reads the ledger back: what was taken, by id, and the digest of the whole.
func (l *load) ledger() (taken map[string]string, digest string, err error) {
	if _, err := l.file.Seek(0, io.SeekStart); err != nil {
		return nil, "", err
	}
	taken = map[string]string{}
	whole := sha256.New()
	lines := json.NewDecoder(io.TeeReader(l.file, whole))
	for {
		var e entry
		if err := lines.Decode(&e); errors.Is(err, io.EOF) {
			return taken, hex.EncodeToString(whole.Sum(nil)), nil
		} else if err != nil {
			return nil, "", err
		}
		taken[e.ID] = e.Hash
	}
}

// again makes the same events once more.
func (l *load) again(each func(n int, ev generate.Event) error) error {
	gen := generate.New(l.opts)
	for n := 0; ; n++ {
		ev, ok := gen.Next(nil)
		if !ok {
			return nil
		}
		if err := each(n, ev); err != nil {
			return err
		}
	}
}
