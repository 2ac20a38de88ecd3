package segment

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func openPixel(t *testing.T, query string, at time.Time) []Outcome {
	t.Helper()
	values, err := url.ParseQuery(query)
	require.NoError(t, err)
	h := newHouse(t, Limits{})
	if fault := h.reader.Open(Route{Kind: Pixel, Type: Page}, PixelData(values, at)); fault != nil {
		require.Equal(t, CodePixel, fault.Code)
		return nil
	}
	return h.reader.Map(browser, &Request{ReceivedAt: at}, nil)
}

func TestAQueryIsAnEvent(t *testing.T) {
	const query = "writeKey=wk_1&anonymousId=a_1&context.page.path=%2Fdocs&properties.title=Docs+%22new%22&name=Docs"
	first := openPixel(t, query, now)
	require.Len(t, first, 1)
	require.Nil(t, first[0].Fault)
	text := string(first[0].Envelope)
	require.Contains(t, text, `"event_name":"page_viewed"`)
	require.Contains(t, text, `"anonymous_id":"a_1"`)
	require.Contains(t, text, `"path":"/docs"`)
	require.Contains(t, text, `"title":"Docs \"new\""`)
	require.NotContains(t, text, "wk_1")
	later := openPixel(t, query, now.Add(time.Second))
	require.NotEqual(t, first[0].EventID, later[0].EventID, "two views are two events")
	named := "&messageId=m_1"
	require.Equal(t, "m_1", string(openPixel(t, query+named, now)[0].EventID))
}

func TestAQueryThatContradictsItselfIsRefused(t *testing.T) {
	for _, query := range []string{
		"context=x&context.page.path=y",
		"context.page.path=y&context.page=x&context=z",
		"data=!",
	} {
		require.Empty(t, openPixel(t, query, now), query)
	}
	deep := strings.Repeat("a.", 200) + "a=1"
	if outcomes := openPixel(t, deep, now); len(outcomes) > 0 {
		require.NotNil(t, outcomes[0].Fault)
	}
}
