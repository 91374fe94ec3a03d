package blockqueue

import (
	"os"
	"regexp"
	"testing"
	"time"
)

func TestTheLimitsAreThoseOfTheLibrary(t *testing.T) {
	limits := Limits()
	for name, expected := range map[string]float64{
		"settle_max": settleMax, "page_max": pageMax, "wait_ms_max": float64(waitMax),
		"lease_ms_max": float64((12 * time.Hour).Milliseconds()), "payload_bytes_default": 1 << 20,
	} {
		if limits[name] != expected {
			t.Errorf("%s is %v", name, limits[name])
		}
	}
}

func TestTheVersionIsThatOfTheWorkspace(t *testing.T) {
	manifest, err := os.ReadFile("../../Cargo.toml")
	must(t, err)
	found := regexp.MustCompile(`(?m)^version = "(.*)"`).FindSubmatch(manifest)
	if found == nil || string(found[1]) != Version() {
		t.Errorf("%s, %s", found, Version())
	}
}
