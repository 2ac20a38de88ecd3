package main

import (
	"context"
	"fmt"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/ebbgate/ebbgate/internal/receipt"
	"github.com/ebbgate/ebbgate/internal/signature"
	"github.com/ebbgate/ebbgate/internal/trace"
	"github.com/ebbgate/ebbgate/plugins/webhook"
)

// Exit codes of receipts verify.
const (
	exitBad  = 3
	exitGone = 5
)

func verifyCommand() *cli.Command {
	return &cli.Command{
		Name: "verify", Usage: "Verify the kept bytes of a delivery again", ArgsUsage: "RECEIPT_ID",
		Description: `Reads the raw record that the receipt names, compares its hash, and verifies the signature with the secrets of the endpoint, as of
the time it arrived. The endpoint is found by its source in doors/ and streams/ of the workspace. A secret that was taken out there
is given with --secret-file or --secret-env.

Exit codes: 0 good; 1 it could not be verified; 2 what is asked is no id, or a flag is wrong; 3 bad; 4 there is no such receipt where it looked; 5 the bytes are gone, or were
never kept.`,
		Flags:  append(receiptFlags(), secretFlags()...),
		Action: receiptsVerify,
	}
}

func receiptsVerify(c *cli.Context) error {
	id, err := exactlyOne(c, "receipt (`ebbgate receipts list` shows their ids)")
	if err != nil {
		return err
	}
	f, err := newFinder(c)
	if err != nil {
		return failed(err)
	}
	defer f.close()
	ctx, cancel := context.WithTimeout(c.Context, c.Duration("timeout"))
	defer cancel()
	r, err := oneReceipt(ctx, id, f.opts)
	if err != nil {
		return err
	}
	check, err := verifyAgain(ctx, c, r, f.opts)
	if err != nil {
		return cli.Exit(err, 1)
	}
	if c.String("output") == "json" {
		if err := printJSON(c.App.Writer, check); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(c.App.Writer, "%s: %s\n", check.Verdict, verdictText(check))
	}
	switch check.Verdict {
	case receipt.Bad:
		return cli.Exit("", exitBad)
	case receipt.Gone:
		return cli.Exit("", exitGone)
	}
	return nil
}

func oneReceipt(ctx context.Context, id string, opts trace.Options) (*receipt.Receipt, error) {
	list, err := trace.ListReceipts(ctx, trace.Wanted{ID: id}, opts)
	if err != nil {
		return nil, cli.Exit(err, 1)
	}
	for _, r := range list.Receipts {
		if r.ID == id {
			return r, nil
		}
	}
	return nil, cli.Exit(fmt.Sprintf("no receipt has the id %s; %s", id, list.Search.String()), exitNotFound)
}

func verifyAgain(ctx context.Context, c *cli.Context, r *receipt.Receipt, opts trace.Options) (check receipt.Check, err error) {
	if r.Raw == nil {
		return receipt.Check{Receipt: r.ID, Verdict: receipt.Gone, Reason: receipt.ReasonNeverKept}, nil
	}
	scheme, err := schemeOf(c, r.Source)
	if err != nil {
		return check, err
	}
	rec, err := trace.RawDelivery(ctx, *r.Raw, opts)
	if err != nil {
		return check, err
	}
	if rec == nil {
		return receipt.Check{Receipt: r.ID, Verdict: receipt.Gone, Reason: receipt.ReasonExpired}, nil
	}
	var kept string
	for _, h := range rec.Headers {
		if h.Key == webhook.MetaSignature {
			kept = string(h.Value)
		}
	}
	headers, err := signature.ParseHeaders(kept)
	if err != nil {
		return check, fmt.Errorf("%w: let the door's output write them, metadata: { include_prefixes: [ webhook_ ] }", err)
	}
	return r.Check(scheme, headers, rec.Value), nil
}

// schemeOf is that of the endpoint with this source, with the secret of the command line in place of its own.
func schemeOf(c *cli.Context, source string) (*signature.Scheme, error) {
	all, err := webhook.DescribeAll(os.DirFS(c.String("workspace")), os.LookupEnv)
	if err != nil {
		return nil, err
	}
	endpoint, err := webhook.Choose(all, source)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	instead, err := givenSecret(c)
	if err != nil {
		return nil, err
	}
	return endpoint.Scheme(instead...)
}

func verdictText(check receipt.Check) string {
	switch {
	case check.Verdict == receipt.Good:
		return "these bytes arrived, and secret " + check.Key + " signed them"
	case check.Reason == receipt.ReasonNeverKept:
		return "the attempt was refused or held no event, and nothing of it was kept; the receipt says how its signature was"
	case check.Reason == receipt.ReasonExpired:
		return "the topic has forgotten the record: its retention stands in topics.yaml; ask the provider to send the delivery again"
	case check.Reason == receipt.ReasonBodyChanged:
		return "the kept bytes are not those that arrived: somebody else writes to the topic, or it was restored wrongly"
	}
	return check.Reason + ": none of the endpoint's secrets signed these bytes at that time; give one that was taken out since with --secret-file"
}
