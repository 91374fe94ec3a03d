package blockqueue

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// modulePath is what go.mod says: the one place where the path stands.
func modulePath(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("go.mod")
	must(t, err)
	first, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimPrefix(first, "module ")
}

// quickStart is a module with the first program of the README, and nothing else.
func quickStart(t *testing.T) string {
	t.Helper()
	readme, err := os.ReadFile("README.md")
	must(t, err)
	_, rest, _ := strings.Cut(string(readme), "```go\n")
	program, _, _ := strings.Cut(rest, "```")
	if lines := strings.Count(program, "\n"); lines >= 20 {
		t.Errorf("it has %d lines", lines)
	}
	here, err := filepath.Abs(".")
	must(t, err)
	folder := t.TempDir()
	module := "module quickstart\n\ngo 1.24\n\nrequire " + modulePath(t) + " v0.0.0\n\nreplace " + modulePath(t) +
		" => " + here + "\n"
	must(t, os.WriteFile(filepath.Join(folder, "go.mod"), []byte(module), 0o600))
	must(t, os.WriteFile(filepath.Join(folder, "main.go"), []byte(program), 0o600))
	return folder
}

// build builds the quick start with these words, and says what the program prints.
func build(t *testing.T, words ...string) (program, printed string) {
	t.Helper()
	folder := quickStart(t)
	program = filepath.Join(folder, "quickstart")
	command := exec.Command("go", append(append([]string{"build", "-o", program}, words...), ".")...)
	command.Dir = folder
	if said, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	said, err := exec.Command(program).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	return program, string(said)
}

func TestTheQuickStartRunsAsItIsWritten(t *testing.T) {
	if _, printed := build(t); printed != "order 42 was paid\n" {
		t.Errorf("it printed %q", printed)
	}
}

// The stage of the repository asks for these: they need the static library beside the other.
func TestItLinksIntoOneBinary(t *testing.T) {
	if os.Getenv("BLOCKQUEUE_TEST_STATIC") == "" {
		t.Skip("BLOCKQUEUE_TEST_STATIC is not set")
	}
	for _, words := range [][]string{
		{"-tags", "blockqueue_static"},
		{"-tags", "blockqueue_static", "-ldflags", `-extldflags "-static"`},
	} {
		program, printed := build(t, words...)
		if printed != "order 42 was paid\n" {
			t.Errorf("it printed %q", printed)
		}
		file, err := elf.Open(program)
		must(t, err)
		defer file.Close()
		libraries, err := file.ImportedLibraries()
		must(t, err)
		for _, library := range libraries {
			if strings.Contains(library, "blockqueue") || len(words) > 2 {
				t.Errorf("%v wants %s", words, library)
			}
		}
	}
}

// The path of the module stands in go.mod; what must repeat it repeats it.
func TestThePathIsThatOfTheModule(t *testing.T) {
	for _, name := range []string{"README.md", "example_test.go", "../../README.md"} {
		text, err := os.ReadFile(name)
		must(t, err)
		if !strings.Contains(string(text), `"`+modulePath(t)+`"`) {
			t.Errorf("%s does not import it", name)
		}
	}
}
