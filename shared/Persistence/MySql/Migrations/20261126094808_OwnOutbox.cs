using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Platform.Persistence.MySql.Migrations
{
    /// <inheritdoc />
    public partial class OwnOutbox : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            ArgumentNullException.ThrowIfNull(migrationBuilder);

            // What waits in MassTransit's tables would be lost. A version before this one sends it; then there is no row, and this holds.
            migrationBuilder.Sql("ALTER TABLE outbox_messages ADD CONSTRAINT the_outbox_must_be_empty_before_this_migration CHECK (octet_length(body) < 0);");
            migrationBuilder.DropTable(name: "outbox_messages");
            migrationBuilder.DropTable(name: "outbox_states");

            migrationBuilder.CreateTable(
                name: "outbox_messages",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "binary(16)", nullable: false),
                    message_id = table.Column<Guid>(type: "binary(16)", nullable: true),
                    correlation_id = table.Column<Guid>(type: "binary(16)", nullable: true),
                    destination_address = table.Column<string>(type: "longtext", nullable: false, collation: "utf8mb4_bin")
                        .Annotation("MySql:CharSet", "utf8mb4"),
                    routing_key = table.Column<string>(type: "longtext", nullable: true, collation: "utf8mb4_bin")
                        .Annotation("MySql:CharSet", "utf8mb4"),
                    content_type = table.Column<string>(type: "longtext", nullable: false, collation: "utf8mb4_bin")
                        .Annotation("MySql:CharSet", "utf8mb4"),
                    body = table.Column<byte[]>(type: "longblob", nullable: false),
                    headers = table.Column<string>(type: "longtext", nullable: true, collation: "utf8mb4_bin")
                        .Annotation("MySql:CharSet", "utf8mb4"),
                    properties = table.Column<string>(type: "longtext", nullable: true, collation: "utf8mb4_bin")
                        .Annotation("MySql:CharSet", "utf8mb4"),
                    expires_at = table.Column<DateTime>(type: "datetime(6)", nullable: true),
                    lease_owner = table.Column<Guid>(type: "binary(16)", nullable: true),
                    due_at = table.Column<DateTime>(type: "datetime(6)", nullable: false, defaultValueSql: "(UTC_TIMESTAMP(6))"),
                    failures = table.Column<int>(type: "int", nullable: false),
                    error = table.Column<string>(type: "longtext", nullable: true, collation: "utf8mb4_bin")
                        .Annotation("MySql:CharSet", "utf8mb4")
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_outbox_messages", x => x.id);
                })
                .Annotation("MySql:CharSet", "utf8mb4")
                .Annotation("Relational:Collation", "utf8mb4_bin");

            migrationBuilder.CreateIndex(
                name: "ix_outbox_messages_lease_owner_due_at",
                table: "outbox_messages",
                columns: new[] { "lease_owner", "due_at" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) =>
            throw new NotSupportedException("The tables of MassTransit's outbox are not made again.");
    }
}
