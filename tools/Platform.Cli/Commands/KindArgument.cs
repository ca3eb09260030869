using System.CommandLine;

namespace Platform.Cli.Commands;

/// <summary>The argument that names a kind that is there.</summary>
internal static class KindArgument
{
    public static Argument<string> Create()
    {
        var kind = new Argument<string>("kind") { Description = "The name of the kind (see: platform kinds)" };
        kind.Validators.Add(result =>
        {
            // As a part of an address these would name something else.
            if (result.Tokens is [{ Value: "" or "." or ".." }])
            {
                result.AddError($"'{result.Tokens[0].Value}' is not the name of a kind.");
            }
        });
        return kind;
    }
}
