package clickhouse

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/ebbgate/ebbgate/internal/sandbox/child"
)

// binaryPoll is how often a starting server is asked whether it answers.
const binaryPoll = 100 * time.Millisecond

// ServeBinary runs a `clickhouse` binary as a server on loopback, HTTP at
// opts.Listen and the native protocol at a free port, until ctx ends.
func ServeBinary(ctx context.Context, binary string, opts Options) error {
	if err := child.CheckLoopback(opts.Listen); err != nil {
		return err
	}
	if err := checkDir(opts.DataDir); err != nil {
		return err
	}
	address, err := reserve(opts.Listen)
	if err != nil {
		return err
	}
	native, err := reserve("127.0.0.1:0")
	if err != nil {
		return err
	}
	config := filepath.Join(opts.DataDir, "config.xml")
	if err := writeConfig(config, opts.DataDir, address, native); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, binary, "server", "--config-file="+config)
	cmd.Dir, cmd.Stdout, cmd.Stderr = opts.DataDir, os.Stderr, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = shutdownGrace
	dieWithParent(cmd)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", binary, err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	if err := waitForPing(ctx, address, exited); err != nil {
		return err
	}
	if opts.Ready != nil {
		opts.Ready(address)
	}
	if err := <-exited; err != nil && ctx.Err() == nil {
		return fmt.Errorf("running %s: %w", binary, err)
	}
	return nil
}

// reserve turns port 0 into a free port: the binary cannot tell which it took.
func reserve(listen string) (string, error) {
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return "", fmt.Errorf("listening for ClickHouse clients: %w", err)
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}

func waitForPing(ctx context.Context, address string, exited <-chan error) error {
	ticker := time.NewTicker(binaryPoll)
	defer ticker.Stop()
	for {
		res, err := http.Get("http://" + address + "/ping")
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case err := <-exited:
			return errors.Join(errors.New("starting ClickHouse: the server ended at once"), err)
		case <-ctx.Done():
			<-exited
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// serverConfig is the smallest configuration a server starts with.
type serverConfig struct {
	XMLName xml.Name `xml:"clickhouse"`
	Logger  struct {
		Level   string `xml:"level"`
		Console int    `xml:"console"`
	} `xml:"logger"`
	Host       string `xml:"listen_host"`
	HTTPPort   string `xml:"http_port"`
	TCPPort    string `xml:"tcp_port"`
	Path       string `xml:"path"`
	Temporary  string `xml:"tmp_path"`
	UserFiles  string `xml:"user_files_path"`
	TimeZone   string `xml:"timezone"`
	MarkCache  int    `xml:"mark_cache_size"`
	UserConfig struct {
		XML struct {
			Path string `xml:"path"`
		} `xml:"users_xml"`
	} `xml:"user_directories"`
}

// usersConfig lets `default` in from loopback, without a password.
const usersConfig = `<clickhouse>
  <profiles><default/></profiles>
  <quotas><default/></quotas>
  <users>
    <default>
      <password></password>
      <networks><ip>127.0.0.1</ip><ip>::1</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      <access_management>1</access_management>
    </default>
  </users>
</clickhouse>
`

func writeConfig(path, dir, address, native string) error {
	host, httpPort, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("reading ClickHouse's address: %w", err)
	}
	_, nativePort, err := net.SplitHostPort(native)
	if err != nil {
		return fmt.Errorf("reading ClickHouse's address: %w", err)
	}
	users := filepath.Join(dir, "users.xml")
	config := serverConfig{
		Host: host, HTTPPort: httpPort, TCPPort: nativePort, TimeZone: "UTC", MarkCache: 64 << 20,
		Path: filepath.Join(dir, "store") + "/", Temporary: filepath.Join(dir, "tmp") + "/", UserFiles: filepath.Join(dir, "files") + "/",
	}
	config.Logger.Level, config.Logger.Console = "warning", 1
	config.UserConfig.XML.Path = users
	text, err := xml.MarshalIndent(config, "", "  ")
	if err != nil {
		return fmt.Errorf("writing ClickHouse's configuration: %w", err)
	}
	if err := errors.Join(os.WriteFile(users, []byte(usersConfig), 0o600), os.WriteFile(path, text, 0o600)); err != nil {
		return fmt.Errorf("writing ClickHouse's configuration: %w", err)
	}
	return nil
}
