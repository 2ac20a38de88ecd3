package child

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const envRole = "EBBGATE_CHILD_TEST"

// The test binary is the child as well: its environment says which.
func TestMain(m *testing.M) {
	waiting := func(ctx context.Context, ready func(string)) error {
		ready("here")
		<-ctx.Done()
		return ctx.Err()
	}
	var err error
	switch os.Getenv(envRole) {
	case "":
		os.Exit(m.Run())
	case "serve":
		err = Run(waiting)
	case "fail":
		err = Run(func(context.Context, func(string)) error { return errors.New("no luck") })
	case "mute":
		err = Run(func(ctx context.Context, _ func(string)) error { <-ctx.Done(); return nil })
	case "parent": // starts a child, tells its id, and waits to be killed
		var p *Process
		if p, err = Start(context.Background(), spec("serve", os.Getenv("LOG"))); err == nil {
			fmt.Println(p.PID())
			select {}
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func spec(role, log string) Spec {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return Spec{Name: "part", Command: []string{self}, Env: []string{envRole + "=" + role}, Log: log}
}

func TestAChildIsReadyThenStops(t *testing.T) {
	p, err := Start(t.Context(), spec("serve", filepath.Join(t.TempDir(), "log")))
	require.NoError(t, err)
	require.Equal(t, "here", p.Address())
	require.NoError(t, p.Stop(t.Context()))
	<-p.Exited()
	require.NoError(t, p.err, "an orderly end is no failure")
	require.NoError(t, p.Stop(t.Context()), "twice is harmless")
}

func TestAChildThatFailsSaysWhy(t *testing.T) {
	_, err := Start(t.Context(), spec("fail", filepath.Join(t.TempDir(), "log")))
	require.EqualError(t, err, "starting part: it ended at once: no luck")
	missing := spec("serve", filepath.Join(t.TempDir(), "log"))
	missing.Command = []string{filepath.Join(t.TempDir(), "absent")}
	_, err = Start(t.Context(), missing)
	require.ErrorContains(t, err, "starting part")
	_, err = Start(t.Context(), spec("serve", filepath.Join(t.TempDir(), "absent", "log")))
	require.ErrorContains(t, err, "opening the log of part")
}

func TestAChildThatIsNeverReadyIsEnded(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := Start(ctx, spec("mute", filepath.Join(t.TempDir(), "log")))
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestAChildDoesNotOutliveAKilledParent(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("this system has no /proc to look for processes in")
	}
	parent := exec.Command(spec("", "").Command[0])
	parent.Env = append(os.Environ(), envRole+"=parent", "LOG="+filepath.Join(t.TempDir(), "log"))
	stdout, err := parent.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, parent.Start())
	line := make([]byte, 32)
	n, err := stdout.Read(line)
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(line[:n])))
	require.NoError(t, err)
	require.NoError(t, parent.Process.Kill())
	require.Error(t, parent.Wait())
	require.Eventually(t, func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return err != nil || strings.Contains(string(stat), ") Z ")
	}, 20*time.Second, 10*time.Millisecond)
}
