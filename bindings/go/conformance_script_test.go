//go:build blockqueue_testclock

package blockqueue

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// script is a few steps that prove one rule; tests/conformance/README.md of the repository says how it is read.
type script struct {
	Name  string
	Rule  string
	Needs []string
	Steps []map[string]any
}

func readScripts() ([]script, error) {
	paths, err := filepath.Glob("../../tests/conformance/*.json")
	if err != nil {
		return nil, err
	}
	var all []script
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		var some []script
		if err := json.Unmarshal(text, &some); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		all = append(all, some...)
	}
	return all, nil
}

// resolve replaces references to saved answers, and repetitions.
func resolve(value any, saved map[string]any) any {
	switch value := value.(type) {
	case string:
		if strings.HasPrefix(value, "$") {
			return saidBefore(value[1:], saved)
		}
		return value
	case []any:
		items := make([]any, len(value))
		for at, item := range value {
			items[at] = resolve(item, saved)
		}
		return items
	case map[string]any:
		if repeated, ok := value["$repeat"]; ok {
			return repeat(resolve(repeated, saved), int(value["times"].(float64)))
		}
		members := map[string]any{}
		for name, member := range value {
			members[name] = resolve(member, saved)
		}
		return members
	default:
		return value
	}
}

func saidBefore(reference string, saved map[string]any) any {
	path := strings.Split(reference, ".")
	found := saved[path[0]]
	for _, part := range path[1:] {
		switch holder := found.(type) {
		case []any:
			place, err := strconv.Atoi(part)
			if err != nil {
				panic(err)
			}
			found = holder[place]
		case map[string]any:
			found = holder[part]
		default:
			panic("nothing was saved as " + reference)
		}
	}
	return found
}

func repeat(value any, times int) any {
	if text, ok := value.(string); ok {
		return strings.Repeat(text, times)
	}
	return slices.Repeat(value.([]any), times)
}

// difference says where an answer first differs from what was expected; empty if it does not.
func difference(expected, found any, path string) string {
	switch expected := expected.(type) {
	case map[string]any:
		if len(expected) == 1 {
			for rule, argument := range expected {
				if strings.HasPrefix(rule, "$") {
					if holds(rule, argument, found) {
						return ""
					}
					return fmt.Sprintf("%s: not %v: %v", path, expected, found)
				}
			}
		}
		members, ok := found.(map[string]any)
		if !ok {
			return fmt.Sprintf("%s: not an object: %v", path, found)
		}
		for name, member := range expected {
			if differs := difference(member, members[name], path+"."+name); differs != "" {
				return differs
			}
		}
		return ""
	case []any:
		items, ok := found.([]any)
		if !ok || len(items) != len(expected) {
			return fmt.Sprintf("%s: expected %d items, found %v", path, len(expected), found)
		}
		for at := range expected {
			if differs := difference(expected[at], items[at], fmt.Sprintf("%s.%d", path, at)); differs != "" {
				return differs
			}
		}
		return ""
	default:
		if reflect.DeepEqual(expected, found) {
			return ""
		}
		return fmt.Sprintf("%s: expected %v, found %v", path, expected, found)
	}
}

func holds(rule string, argument, found any) bool {
	switch rule {
	case "$length":
		value := reflect.ValueOf(found)
		isHolder := found != nil && (value.Kind() == reflect.Slice || value.Kind() == reflect.Map)
		return isHolder && float64(value.Len()) == argument
	case "$between":
		bounds := argument.([]any)
		number, ok := found.(float64)
		return ok && bounds[0].(float64) <= number && number <= bounds[1].(float64)
	case "$not":
		return difference(argument, found, "") != ""
	case "$unordered":
		items, ok := found.([]any)
		return ok && matchesUnordered(argument.([]any), slices.Clone(items))
	default:
		panic("no rule " + rule)
	}
}

func matchesUnordered(expected, rest []any) bool {
	for _, item := range expected {
		place := slices.IndexFunc(rest, func(found any) bool { return difference(item, found, "") == "" })
		if place < 0 {
			return false
		}
		rest = slices.Delete(rest, place, place+1)
	}
	return len(rest) == 0
}
