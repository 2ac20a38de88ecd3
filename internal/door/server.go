package door

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"
)

// Config is how a server listens and what it bears.
type Config struct {
	Address string
	TLS     *tls.Config // nil for none
	// ReadTimeout is how long a whole request may take to arrive, HeaderTimeout its head. AnswerTimeout is how long it may
	// then take to become durable. IdleTimeout closes connections that are kept open for nothing.
	ReadTimeout, HeaderTimeout, AnswerTimeout, IdleTimeout time.Duration
	MaxHeaderBytes, MaxConnections, MaxStreams             int
	Body                                                   BodyLimits
	MemoryLimit                                            int64
	Proxies                                                Proxies
}

// Server serves one door.
type Server struct {
	http *http.Server
	ln   net.Listener
	done chan error
}

// Listen starts to serve. Paths /health and /ready answer whether the process lives and whether ready says that requests
// are taken; everything else goes to handler.
func Listen(cfg *Config, handler http.Handler, ready func() bool) (*Server, error) {
	ln, err := net.Listen("tcp", cfg.Address)
	if err != nil {
		return nil, fmt.Errorf("listening on address %s: %w", cfg.Address, err)
	}
	if cfg.MaxConnections > 0 {
		ln = netutil.LimitListener(ln, cfg.MaxConnections)
	}
	s := &Server{ln: ln, done: make(chan error, 1), http: &http.Server{
		Handler:           withProbes(handler, ready),
		TLSConfig:         cfg.TLS,
		ReadTimeout:       cfg.ReadTimeout,
		ReadHeaderTimeout: cfg.HeaderTimeout,
		WriteTimeout:      cfg.ReadTimeout + cfg.AnswerTimeout + writeGrace,
		IdleTimeout:       cfg.IdleTimeout,
		MaxHeaderBytes:    cfg.MaxHeaderBytes,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: cfg.MaxStreams, SendPingTimeout: cfg.IdleTimeout},
		// The package's log lines quote what clients sent.
		ErrorLog: log.New(discard{}, "", 0),
	}}
	go func() { s.done <- s.serve() }()
	return s, nil
}

// writeGrace is what an answer may take on the wire.
const writeGrace = 5 * time.Second

func (s *Server) serve() error {
	if s.http.TLSConfig != nil {
		return s.http.ServeTLS(s.ln, "", "")
	}
	return s.http.Serve(s.ln)
}

// Address is where the server listens, with the port it got.
func (s *Server) Address() string { return s.ln.Addr().String() }

// Close takes no more connections, lets requests that were taken end, and cuts those that have not when ctx is done.
func (s *Server) Close(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	if served := <-s.done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

func withProbes(next http.Handler, ready func() bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/health":
			w.WriteHeader(http.StatusOK)
		case "/ready":
			if !ready() {
				RefuseBusy.Write(w)
				return
			}
			w.WriteHeader(http.StatusOK)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
